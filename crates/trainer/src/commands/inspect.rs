//! `trainer data inspect`: summarizes a data set and reports its problems.

mod images;
mod page;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use data::{DatasetError, LoadedDataset, SplitKind};
use data_hdf5::{Hdf5Error, Hdf5File, Residency};
use data_sources::DatasetConfig;
use data_sources::quality::inspection::{InspectedSplit, Inspection};
use serde::Serialize;
use training::RunError;

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
    /// File of each split, or how it was made.
    origins: BTreeMap<SplitKind, String>,
    /// SHA-256 of each file.
    sha256: BTreeMap<String, String>,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Report<'a> {
    input: String,
    synthetic: bool,
    origins: &'a BTreeMap<SplitKind, String>,
    sha256: &'a BTreeMap<String, String>,
    #[serde(flatten)]
    inspection: &'a Inspection,
    problems: Vec<String>,
}

/// Inspects the data of a config or of an HDF5 file.
pub fn inspect(args: &InspectArgs, context: &Context) -> Result<ExitCode, Failure> {
    let input = config_or_run(&args.input, args.runs.path());
    let subject = Subject::open(&input, context)?;
    if let Some(out) = &args.out {
        prepare(out)?;
    }
    let inspection = Inspection::of(&subject.parts, &subject.classes);
    let inspection = inspection.map_err(|error| Failure::run(&error))?;
    let report = Report {
        input: input.display().to_string(),
        synthetic: subject.synthetic,
        origins: &subject.origins,
        sha256: &subject.sha256,
        inspection: &inspection,
        problems: inspection.problems(),
    };
    let page =
        args.out.as_ref().map(|out| page::write(&subject.parts, &report, out)).transpose()?;
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
    pub(super) fn open(input: &Path, context: &Context) -> Result<Self, Failure> {
        if is_config(input) {
            return Self::of_config(input, context);
        }
        Self::of_file(input).map_err(|error| Failure::run(&error))
    }

    /// The splits as a run of the config uses them.
    fn of_config(path: &Path, context: &Context) -> Result<Self, Failure> {
        let config = context.read_config(path, &[])?;
        let failed = |error: DatasetError| Failure::from(RunError::from(error));
        let dataset = config.dataset.resolve().map_err(failed)?;
        let data = dataset.load().map_err(failed)?;
        let origins = origins(&dataset, &data);
        let (classes, synthetic) = (data.classes.clone(), data.synthetic);
        let sha256 = data.sha256.clone();
        let parts = InspectedSplit::of(data, &config.split, config.seed).map_err(failed)?;
        Ok(Self { parts, classes, synthetic, origins, sha256 })
    }

    /// The training and the test set of a file, or one of them.
    fn of_file(path: &Path) -> Result<Self, Hdf5Error> {
        let mut subject = Self::default();
        for split in [SplitKind::Train, SplitKind::Test] {
            let Some(file) = open(path, split)? else { continue };
            subject.parts.push(InspectedSplit::whole(split, file.examples));
            subject.origins.insert(split, path.display().to_string());
            if subject.parts.len() == 1 {
                (subject.classes, subject.synthetic) = (file.classes, file.synthetic);
                subject.sha256.insert("file".to_owned(), file.sha256);
            }
        }
        Ok(subject)
    }
}

/// Returns true for the path of a config or a run, false for that of an HDF5 file.
pub(super) fn is_config(input: &Path) -> bool {
    input.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
        || input.join("config.toml").is_file()
}

/// One split of a file, if it has it.
fn open(path: &Path, split: SplitKind) -> Result<Option<Hdf5File>, Hdf5Error> {
    match data_hdf5::open(path, split, Residency::Automatic) {
        Err(Hdf5Error::WrongPart { .. }) => Ok(None),
        file => file.map(Some),
    }
}

/// Origin of each split.
fn origins(dataset: &DatasetConfig, data: &LoadedDataset) -> BTreeMap<SplitKind, String> {
    let DatasetConfig::Hdf5(files) = dataset else {
        return SplitKind::ALL.map(|split| (split, "generated by the trainer".to_owned())).into();
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
