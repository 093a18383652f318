//! Tells what a data set holds and what is wrong with it.

mod page;
mod pictures;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dataset::hdf5::{self, Hdf5Error, Hdf5File, Keep, Part};
use dataset::{DatasetConfig, DatasetError, InspectedPart, Inspection, Source};
use serde::Serialize;
use training::{RunConfig, RunError};

use crate::cli::InspectArgs;
use crate::error::Failure;
use crate::print;

/// The parts of a data set, and where they come from.
pub(super) struct Subject {
    pub(super) parts: Vec<InspectedPart>,
    pub(super) classes: Vec<String>,
    pub(super) stand_in: bool,
    /// For each part its file, or how it was made.
    origins: BTreeMap<&'static str, String>,
    /// SHA-256 of each set of the source.
    sha256: BTreeMap<String, String>,
}

/// All that is told.
#[derive(Serialize)]
struct Report<'a> {
    input: String,
    stand_in: bool,
    origins: &'a BTreeMap<&'static str, String>,
    sha256: &'a BTreeMap<String, String>,
    #[serde(flatten)]
    inspection: &'a Inspection,
    problems: Vec<String>,
}

/// Inspects the data of an experiment, or those of a file.
pub fn inspect(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let subject = Subject::open(&args.input)?;
    if let Some(out) = &args.out {
        prepare(out)?;
    }
    let inspection = Inspection::of(&subject.parts, &subject.classes);
    let inspection = inspection.map_err(|error| Failure::run(&error))?;
    let report = Report {
        input: args.input.display().to_string(),
        stand_in: subject.stand_in,
        origins: &subject.origins,
        sha256: &subject.sha256,
        inspection: &inspection,
        problems: inspection.problems(),
    };
    let drawn = args.out.as_ref().map(|out| draw(&subject.parts, &report, out)).transpose()?;
    print::result(&match args.json {
        true => format!("{:#}", serde_json::json!(report)),
        false => text::of(&report, drawn.as_deref()),
    })?;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn prepare(out: &Path) -> Result<(), Failure> {
    fs::create_dir_all(out).map_err(|error| {
        Failure::usage(format!(
            "cannot make the directory {}: {error}\n  name another one with --out",
            out.display()
        ))
    })
}

/// Draws the page, and pictures of images; the files that are to be looked at.
fn draw(parts: &[InspectedPart], report: &Report, out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut drawn = vec![page::draw(parts, report, out)?];
    if report.inspection.are_images {
        drawn.extend(pictures::draw(parts, report.inspection, out)?);
    }
    Ok(drawn)
}

impl Subject {
    pub(super) fn open(input: &Path) -> Result<Self, Failure> {
        match is_config(input) {
            true => Self::of_config(input),
            false => Self::of_file(input).map_err(|error| Failure::run(&error)),
        }
    }

    /// The parts as a run of the config has them.
    fn of_config(path: &Path) -> Result<Self, Failure> {
        let config =
            RunConfig::read(path, &[]).map_err(|error| Failure::usage(error.to_string()))?;
        let failed = |error: DatasetError| Failure::from(RunError::from(error));
        let dataset = config.dataset.resolve().map_err(failed)?;
        let source = dataset.load().map_err(failed)?;
        let origins = origins(&dataset, &source);
        let (classes, stand_in) = (source.classes.clone(), source.stand_in);
        let sha256 = source.sha256.clone();
        let parts = InspectedPart::of(source, &config.split, config.seed).map_err(failed)?;
        Ok(Self { parts, classes, stand_in, origins, sha256 })
    }

    /// The parts that a file holds: one or both.
    fn of_file(path: &Path) -> Result<Self, Hdf5Error> {
        let (train, test) = (part(path, Part::Train)?, part(path, Part::Test)?);
        let of_both = train.as_ref().or(test.as_ref());
        let (classes, stand_in) =
            of_both.map(|file| (file.classes.clone(), file.stand_in)).unwrap_or_default();
        let sha256 = of_both.map(|file| ("file".to_owned(), file.sha256.clone()));
        let parts = [("train", train), ("test", test)].into_iter();
        let parts =
            parts.filter_map(|(name, file)| Some(InspectedPart::whole(name, file?.examples)));
        let parts: Vec<_> = parts.collect();
        let origins = parts.iter().map(|part| (part.name, path.display().to_string()));
        let origins = origins.collect();
        Ok(Self { classes, stand_in, origins, sha256: sha256.into_iter().collect(), parts })
    }
}

/// Whether a path is that of a config, and not of an HDF5 file.
pub(super) fn is_config(input: &Path) -> bool {
    input.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

/// One part of a file, if it has it.
fn part(path: &Path, part: Part) -> Result<Option<Hdf5File>, Hdf5Error> {
    match hdf5::open(path, part, Keep::Automatic) {
        Err(Hdf5Error::WrongPart { .. }) => Ok(None),
        file => file.map(Some),
    }
}

/// Where each part comes from.
fn origins(dataset: &DatasetConfig, source: &Source) -> BTreeMap<&'static str, String> {
    let DatasetConfig::Hdf5(files) = dataset else {
        let drawn = || "drawn by the trainer".to_owned();
        return ["train", "validation", "test"].map(|part| (part, drawn())).into();
    };
    let path = |file: &Path| files.directory.join(file).display().to_string();
    let of = |file: &Option<PathBuf>, exists: bool| {
        let own = file.as_deref().filter(|_| exists).map(path);
        own.unwrap_or_else(|| format!("held out of {}", path(&files.train)))
    };
    BTreeMap::from([
        ("train", path(&files.train)),
        ("validation", of(&files.validation, source.validation.is_some())),
        ("test", of(&files.test, source.test.is_some())),
    ])
}
