//! `trainer data inspect`: summarizes a data set and reports its problems.

mod images;
mod page;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use data::{DatasetError, Fit, LoadedDataset, SplitConfig, SplitKind};
use data_hdf5::{Hdf5Error, Residency};
use data_sources::quality::inspection::{InspectedSplit, Inspection, write_csv};
use data_sources::{DatasetConfig, FolderConfig};
use serde::Serialize;
use training::RunError;

use super::config::dataset_of;
use super::runs::config_or_run;
use crate::cli::InspectArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::print;

/// The splits of a data set and their origins.
#[derive(Default)]
pub(super) struct Subject {
    pub(super) parts: Vec<InspectedSplit>,
    pub(super) classes: Vec<String>,
    pub(super) synthetic: bool,
    /// Fit of the images, if it is known.
    pub(super) fit: Option<Fit>,
    /// File of each split, or how it was made.
    origins: BTreeMap<SplitKind, String>,
    /// SHA-256 of each file.
    sha256: BTreeMap<String, String>,
    /// What was inferred about the data.
    notes: Vec<String>,
    /// Likely mistakes that reading the data showed.
    warnings: Vec<String>,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Report<'a> {
    input: String,
    synthetic: bool,
    origins: &'a BTreeMap<SplitKind, String>,
    sha256: &'a BTreeMap<String, String>,
    notes: &'a [String],
    #[serde(flatten)]
    inspection: &'a Inspection,
    problems: Vec<String>,
}

/// Inspects the data of a config or a run, HDF5 files, or folders of images.
pub fn inspect(args: &InspectArgs, context: &Context) -> Result<ExitCode, Failure> {
    let inputs: Vec<PathBuf> =
        args.inputs.iter().map(|input| config_or_run(input, args.runs.path())).collect();
    let subject = Subject::open(&inputs, context)?;
    if let Some(out) = &args.out {
        prepare(out)?;
    }
    let inspection = Inspection::of(&subject.parts, &subject.classes);
    let mut inspection = inspection.map_err(|error| Failure::run(&error))?;
    inspection.warnings.splice(0..0, subject.warnings.iter().cloned());
    let inputs: Vec<_> = inputs.iter().map(|input| input.display().to_string()).collect();
    let report = Report {
        input: inputs.join(" "),
        synthetic: subject.synthetic,
        origins: &subject.origins,
        sha256: &subject.sha256,
        notes: &subject.notes,
        inspection: &inspection,
        problems: inspection.problems(),
    };
    let page =
        args.out.as_ref().map(|out| page::write(&subject.parts, &report, out)).transpose()?;
    if let Some(path) = &args.csv {
        write_csv(&inspection.findings(), path).map_err(|error| {
            Failure::usage(format!(
                "cannot write {}: {error}\n  choose another file with --csv",
                path.display()
            ))
        })?;
    }
    print::result(&if args.json {
        format!("{:#}", serde_json::json!(report))
    } else {
        text::of(&report, page.as_deref())
    })?;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn prepare(out: &Path) -> Result<(), Failure> {
    fs::create_dir_all(out).map_err(|error| {
        Failure::usage(format!(
            "cannot create the directory {}: {error}\n  choose another one with --out",
            out.display()
        ))
    })
}

impl Subject {
    /// The parts of the data of a config or a run as it uses them, and those of files as a run would read
    /// them, with the same errors.
    pub(super) fn open(inputs: &[PathBuf], context: &Context) -> Result<Self, Failure> {
        let of_files = || Self::of_dataset(&dataset_of(inputs)?, &SplitConfig::default(), 1);
        let [input] = inputs else { return of_files() };
        if is_config(input) {
            let config = context.read_config(input, &[])?;
            return Self::of_dataset(&config.dataset, &config.split, config.seed);
        }
        if input.is_dir() {
            return of_files();
        }
        let splits = data_hdf5::splits(input).map_err(|error| Failure::run(&error))?;
        if splits.contains(&SplitKind::Train) {
            return of_files();
        }
        Self::of_held_out_file(input, &splits).map_err(|error| Failure::run(&error))
    }

    fn of_dataset(
        dataset: &DatasetConfig,
        split: &SplitConfig,
        seed: u64,
    ) -> Result<Self, Failure> {
        let failed = |error: DatasetError| Failure::from(RunError::from(error));
        let dataset = dataset.resolve().map_err(failed)?;
        let data = dataset.load().map_err(failed)?;
        let mut origins = origins(&dataset, &data);
        let here = env::current_dir().unwrap_or_default().display().to_string() + "/";
        origins.values_mut().for_each(|origin| *origin = origin.replacen(&here, "", 1));
        let LoadedDataset { classes, synthetic, fit, sha256, notes, warnings, .. } = &data;
        let subject = Self {
            parts: Vec::new(),
            classes: classes.clone(),
            synthetic: *synthetic,
            fit: *fit,
            origins,
            sha256: sha256.clone(),
            notes: notes.clone(),
            warnings: warnings.clone(),
        };
        let parts = InspectedSplit::of(data, split, seed).map_err(failed)?;
        Ok(Self { parts, ..subject })
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
pub(super) fn is_config(input: &Path) -> bool {
    input.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
        || input.join("config.toml").is_file()
}

/// Origin of each split.
fn origins(dataset: &DatasetConfig, data: &LoadedDataset) -> BTreeMap<SplitKind, String> {
    let files = match dataset {
        DatasetConfig::Hdf5(files) => files,
        DatasetConfig::Folder(folder) => return folder_origins(folder, data),
        _ => {
            return SplitKind::ALL
                .map(|split| (split, "generated by the trainer".to_owned()))
                .into();
        }
    };
    let own = [
        (SplitKind::Train, Some(&files.train)),
        (SplitKind::Validation, files.validation.as_ref().filter(|_| data.validation.is_some())),
        (SplitKind::Test, files.test.as_ref().filter(|_| data.test.is_some())),
    ];
    let train = files.directory.join(&files.train);
    let origins = own.map(|(split, file)| match file {
        Some(file) => (split, files.directory.join(file).display().to_string()),
        None => (split, format!("held out of {}", train.display())),
    });
    origins.into()
}

/// Folder of each split of image folders.
fn folder_origins(folder: &FolderConfig, data: &LoadedDataset) -> BTreeMap<SplitKind, String> {
    let own = [&folder.train, &folder.validation, &folder.test];
    let has = data.parts();
    let origins = SplitKind::ALL.into_iter().zip(own).map(|(split, own)| {
        let path = own.as_ref().map_or(folder.directory.clone(), |own| folder.directory.join(own));
        let is_own = has.iter().any(|(part, _)| *part == split);
        let held_out = if is_own { "" } else { "held out of " };
        (split, format!("{held_out}{}", path.display()))
    });
    origins.collect()
}
