//! Converts data sets: `trainer data import`, `export` and `split`.

mod text;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use data::{DatasetError, SplitConfig};
use data_sources::convert::{
    Cleaning, ConvertError, ConvertedDataset, Export, Import, ImportedDataset, ProgressCallback,
};
use data_sources::images::{ImagesError, Labelling};
use data_sources::quality::Splitting;
use data_sources::quality::inspection::{Finding, Inspection};
use regex::Regex;
use serde::Serialize;
use support::ProgressTask;

use super::inspect::{Subject, is_config};
use crate::cli::{CleanArgs, ExportArgs, FractionArgs, ImportArgs, SplitArgs};
use crate::context::Context;
use crate::error::{Failure, with_hint};
use crate::{print, signals};

/// Output path and contents of the new data set.
#[derive(Serialize)]
struct Report<T> {
    out: PathBuf,
    #[serde(flatten)]
    made: T,
}

/// A cleaned data set, and why examples were removed.
#[derive(Serialize)]
struct Cleaned {
    #[serde(flatten)]
    dataset: ConvertedDataset,
    removed: Vec<Finding>,
}

/// Converts folders of images to HDF5 files.
pub fn import(args: &ImportArgs) -> Result<ExitCode, Failure> {
    let import = Import {
        folders: args.folders.clone(),
        labelling: labelling(args)?,
        size: args.size,
        fit: args.fit.into(),
        grey: args.grey,
        skip_corrupt: args.skip_corrupt,
        partition: partition(&args.fractions)?,
    };
    let made: ImportedDataset = with_progress(|progress| import.apply(&args.out, progress))?;
    print_report(args.json, &args.out, &made, |report| text::of_import(report))
}

fn labelling(args: &ImportArgs) -> Result<Labelling, Failure> {
    let pattern = args.label_pattern.as_ref().map(|pattern| Regex::new(pattern)).transpose();
    let pattern = pattern.map_err(|error| Failure::usage(format!("--label-pattern: {error}")))?;
    Ok(Labelling { pattern, csv: args.labels.clone() })
}

/// Writes the images of a data set as PNG files.
pub fn export(args: &ExportArgs, context: &Context) -> Result<ExitCode, Failure> {
    let Subject { parts, classes, synthetic, .. } =
        Subject::open(std::slice::from_ref(&args.input), context)?;
    if let Some(part) = parts.iter().find(|part| !part.examples.are_images()) {
        let features = part.examples.width();
        return Err(Failure::usage(format!(
            "{} contains points of {features} features, not images\n  only images can be exported",
            args.input.display()
        )));
    }
    let export = Export {
        is_nested: is_config(&args.input) || parts.len() > 1,
        is_flat: args.flat,
        parts: &parts,
        classes: &classes,
        synthetic,
    };
    let made = with_progress(|progress| export.apply(&args.out, progress))?;
    print_report(args.json, &args.out, &made, text::of_export)
}

/// Splits a file into one file per split.
pub fn split(args: &SplitArgs) -> Result<ExitCode, Failure> {
    let Some(partition) = partition(&args.fractions)? else {
        return Err(Failure::usage("no fraction given\n  set --test-fraction, for example to 0.1"));
    };
    let made = with_progress(|progress| partition.split_file(&args.input, &args.out, progress))?;
    print_report(args.json, &args.out, &made, text::of_split)
}

/// Writes a data set without the examples that falsify a score.
pub fn clean(args: &CleanArgs, context: &Context) -> Result<ExitCode, Failure> {
    let Subject { parts, classes, synthetic, fit, .. } = Subject::open(&args.inputs, context)?;
    let inspection = Inspection::of(&parts, &classes).map_err(|error| Failure::run(&error))?;
    let findings = inspection.findings();
    let cleaning = Cleaning { parts, classes: &classes, synthetic, fit, findings };
    let (dataset, removed) = with_progress(|progress| cleaning.apply(&args.out, progress))?;
    print_report(args.json, &args.out, Cleaned { dataset, removed }, text::of_cleaning)
}

/// Returns the held-out fractions; `None` if neither is given.
fn partition(args: &FractionArgs) -> Result<Option<Splitting>, Failure> {
    let &FractionArgs { test_fraction, validation_fraction, seed, ignore_near_duplicates } = args;
    if test_fraction.is_none() && validation_fraction.is_none() {
        return Ok(None);
    }
    let [test, validation] = [test_fraction, validation_fraction].map(Option::unwrap_or_default);
    if test + validation >= 1.0 {
        return Err(Failure::usage(format!(
            "a test fraction of {test} and a validation fraction of {validation} leave no training set\n  choose smaller fractions"
        )));
    }
    let (test_fraction, validation_fraction) = (test, validation);
    let config = SplitConfig { test_fraction, validation_fraction, ..SplitConfig::default() };
    Ok(Some(Splitting { config, seed, keep_groups: !ignore_near_duplicates }))
}

/// Runs a long operation with a progress bar and stops it on a signal.
fn with_progress<T>(
    operation: impl FnOnce(&mut ProgressCallback) -> Result<T, ConvertError>,
) -> Result<T, Failure> {
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let mut current: Option<(&str, ProgressTask)> = None;
    let mut progress = |message: &'static str, done: usize, total: usize| {
        match &current {
            Some((known, task)) if *known == message => task.set_done(done),
            _ => current = Some((message, ProgressTask::resume(message, done, total))),
        }
        match signals.received() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    };
    operation(&mut progress).map_err(|error| match (&error, signals.received()) {
        (ConvertError::Images(ImagesError::Stopped), Some(stop)) => {
            Failure::stopped(error.to_string(), stop)
        }
        _ => Failure::from(error),
    })
}

fn print_report<T: Serialize>(
    json: bool,
    out: &Path,
    made: T,
    text: impl FnOnce(&Report<T>) -> String,
) -> Result<ExitCode, Failure> {
    let report = Report { out: out.to_owned(), made };
    print::result(&if json { format!("{:#}", serde_json::json!(report)) } else { text(&report) })?;
    Ok(ExitCode::SUCCESS)
}

impl From<ConvertError> for Failure {
    fn from(error: ConvertError) -> Self {
        let message = with_hint(error.to_string(), hint(&error));
        match &error {
            ConvertError::Output { .. } => Self::usage(message),
            ConvertError::Dataset(data) => match **data {
                DatasetError::EmptySplit { split, fraction, count } => Self::usage(format!(
                    "a {split} fraction of {fraction} holds out none of {count} examples\n  choose a larger --{split}-fraction, or --ignore-near-duplicates to split groups of near-duplicates"
                )),
                _ => Self::run(&error),
            },
            _ => Self::unstyled(&message),
        }
    }
}

/// Returns the flag that applies the remedy of `error`.
fn hint(error: &ConvertError) -> Option<String> {
    match error {
        ConvertError::Output { .. } => Some("--out sets the output path".to_owned()),
        ConvertError::Images(ImagesError::DifferentSizes { suggestion, .. }) => {
            Some(format!("--size {suggestion} resizes them"))
        }
        ConvertError::Images(ImagesError::UnreadableImages { .. }) => {
            Some("--skip-corrupt skips them".to_owned())
        }
        _ => None,
    }
}
