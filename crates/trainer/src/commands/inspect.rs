//! `trainer data inspect`: summarizes a data set and reports its problems.

mod page;
mod text;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use data::{Fit, LoadedDataset, SplitConfig, SplitKind};
use data_hdf5::{Hdf5Error, Residency};
use data_sources::quality::inspection::{InspectedSplit, Inspection, write_csv};
use data_sources::{DatasetConfig, FolderConfig, Hdf5Config};
use serde::Serialize;

use super::config::dataset_of;
use super::data::create_out;
use super::runs::config_or_run;
use crate::cli::RunsOption;
use crate::context::Context;
use crate::error::Failure;
use crate::print;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct InspectArgs {
    /// The TOML file of an experiment, a run, HDF5 files of one data set, or a folder of either
    #[arg(value_name = "CONFIG|RUN|FILE|DIR", required = true)]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    runs: RunsOption,
    /// Write the page inspection.html, with pictures of classes and problems, to this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the examples with problems to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXIT_CODES: &str = "\
Near-duplicates are images of the same picture, found by correlation, which is
insensitive to compression, brightness and contrast. Their distance is relative
to the median distance between two images of the data set, and at most 0.17. If
all images look alike, near-duplicates must also agree in what they do not have
in common. Points are near-duplicates if they are equal.

Exit codes:
  0  no problem that invalidates a score
  1  an example has a near-duplicate in another split, or equal examples have
     different labels; or a file is missing, damaged or not in the layout
  2  invalid command line or config";

/// The splits of a data set and their origins.
#[derive(Default, Serialize)]
pub struct Subject {
    #[serde(skip)]
    pub parts: Vec<InspectedSplit>,
    #[serde(skip)]
    pub classes: Vec<String>,
    pub synthetic: bool,
    /// Fit of the images, if it is known.
    #[serde(skip)]
    pub fit: Option<Fit>,
    /// File of each split, or how it was made.
    origins: BTreeMap<SplitKind, String>,
    /// SHA-256 of each file.
    sha256: BTreeMap<String, String>,
    /// What was inferred about the data.
    notes: Vec<String>,
    /// Likely mistakes that reading the data showed.
    #[serde(skip)]
    warnings: Vec<String>,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Report<'a> {
    input: String,
    #[serde(flatten)]
    subject: &'a Subject,
    #[serde(flatten)]
    inspection: &'a Inspection,
    problems: Vec<String>,
}

pub fn run(args: &InspectArgs, context: &Context) -> Result<(), Failure> {
    let inputs: Vec<PathBuf> =
        args.inputs.iter().map(|input| config_or_run(input, args.runs.path())).collect();
    let subject = Subject::open(&inputs, context)?;
    if let Some(out) = &args.out {
        create_out(out)?;
    }
    let mut inspection = Inspection::of(&subject.parts, &subject.classes)?;
    inspection.warnings.splice(0..0, subject.warnings.iter().cloned());
    let inputs: Vec<_> = inputs.iter().map(|input| input.display().to_string()).collect();
    let report = Report {
        input: inputs.join(" "),
        subject: &subject,
        inspection: &inspection,
        problems: inspection.problems(),
    };
    let page = args.out.as_ref().map(|out| page::write(&report, out)).transpose()?;
    if let Some(path) = &args.csv {
        write_csv(&inspection.findings(), path).map_err(|error| {
            Failure::usage(format!(
                "cannot write {}: {error}\n  choose another file with --csv",
                path.display()
            ))
        })?;
    }
    print::json_or_text(args.json, &report, || text::of(&report, page.as_deref()))?;
    if report.problems.is_empty() { Ok(()) } else { Err(Failure::printed()) }
}

impl Subject {
    /// The parts of the data of a config or a run as it uses them, and those of files as a run would read
    /// them, with the same errors.
    pub fn open(inputs: &[PathBuf], context: &Context) -> Result<Self, Failure> {
        let of_files = || Self::of_dataset(&dataset_of(inputs)?, &SplitConfig::default(), 1);
        let [input] = inputs else { return of_files() };
        if is_config(input) {
            let config = context.read_config(input, &[])?;
            return Self::of_dataset(&config.dataset, &config.split, config.seed);
        }
        if input.is_dir() {
            return of_files();
        }
        let splits = data_hdf5::splits(input)?;
        if splits.contains(&SplitKind::Train) {
            return of_files();
        }
        Ok(Self::of_held_out_file(input, &splits)?)
    }

    fn of_dataset(
        dataset: &DatasetConfig,
        split: &SplitConfig,
        seed: u64,
    ) -> Result<Self, Failure> {
        let dataset = dataset.resolve()?;
        let data = dataset.load()?;
        let mut origins = origins(&dataset, &data);
        let here = env::current_dir().unwrap_or_default().display().to_string() + "/";
        origins.values_mut().for_each(|origin| *origin = origin.replacen(&here, "", 1));
        let subject = Self {
            parts: Vec::new(),
            classes: data.classes.clone(),
            synthetic: data.synthetic,
            fit: data.fit,
            origins,
            sha256: data.sha256.clone(),
            notes: data.notes.clone(),
            warnings: data.warnings.clone(),
        };
        Ok(Self { parts: InspectedSplit::of(data, split, seed)?, ..subject })
    }

    /// The parts of a file without a training set.
    fn of_held_out_file(path: &Path, splits: &[SplitKind]) -> Result<Self, Hdf5Error> {
        let mut subject = Self::default();
        for &split in splits {
            let file = data_hdf5::open(path, split, Residency::Automatic)?;
            subject.parts.push(InspectedSplit::whole(split, file.examples));
            subject.origins.insert(split, path.display().to_string());
            subject.sha256.insert(split.to_string(), file.sha256);
            (subject.classes, subject.synthetic, subject.fit) =
                (file.classes, file.synthetic, file.fit);
        }
        Ok(subject)
    }
}

/// Returns true for the path of a config or a run, false for that of an HDF5 file.
pub fn is_config(input: &Path) -> bool {
    input.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
        || input.join("config.toml").is_file()
}

/// Origin of each split.
fn origins(dataset: &DatasetConfig, data: &LoadedDataset) -> BTreeMap<SplitKind, String> {
    let (directory, files) = match dataset {
        DatasetConfig::Hdf5(Hdf5Config { directory, train, validation, test, .. }) => {
            (directory, [Some(train), validation.as_ref(), test.as_ref()])
        }
        DatasetConfig::Folder(FolderConfig { directory, train, validation, test, .. }) => {
            (directory, [train, validation, test].map(Option::as_ref))
        }
        _ => {
            return SplitKind::ALL
                .map(|split| (split, "generated by the trainer".to_owned()))
                .into();
        }
    };
    let is_folder = matches!(dataset, DatasetConfig::Folder(_));
    let has = data.parts();
    let origins = SplitKind::ALL.into_iter().zip(files).map(|(split, file)| {
        let has_part = has.iter().any(|(part, _)| *part == split);
        let is_own = has_part && (is_folder || file.is_some());
        let source = if is_folder || is_own { file } else { files[0] };
        let path = source.map_or(directory.clone(), |source| directory.join(source));
        let held_out = if is_own { "" } else { "held out of " };
        (split, format!("{held_out}{}", path.display()))
    });
    origins.collect()
}
