//! Brings data sets from one form into another: `trainer data import`, `export` and `split`.

mod text;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dataset::{
    DatasetError, Export, Import, Imported, MadeSet, Partition, SplitConfig, TransferError, Watch,
    Work,
};
use serde::Serialize;

use super::inspect::{Subject, is_config};
use crate::cli::{ExportArgs, FractionArgs, ImportArgs, SplitArgs};
use crate::error::Failure;
use crate::{print, signals};

/// What was made, where, and what to do with it.
#[derive(Serialize)]
struct Report<T> {
    out: PathBuf,
    #[serde(flatten)]
    made: T,
}

/// Makes HDF5 files of folders of images.
pub fn import(args: &ImportArgs) -> Result<ExitCode, Failure> {
    let import = Import {
        folders: args.folders.clone(),
        size: args.size,
        fit: args.fit.into(),
        grey: args.grey,
        skips_corrupt: args.skip_corrupt,
        partition: partition(&args.fractions)?,
    };
    let made: Imported = watched(|watch| import.apply(&args.out, watch))?;
    tell(args.json, &args.out, &made, |report| text::of_import(report, import.fit))
}

/// Writes the images of a data set as PNG files.
pub fn export(args: &ExportArgs) -> Result<ExitCode, Failure> {
    let Subject { parts, classes, stand_in, .. } = Subject::open(&args.input)?;
    if let Some(part) = parts.iter().find(|part| !part.examples.are_images()) {
        let features = part.examples.width();
        return Err(Failure::usage(format!(
            "{} holds points of {features} features, no images\n  export data of images",
            args.input.display()
        )));
    }
    let export = Export {
        is_nested: is_config(&args.input) || parts.len() > 1,
        is_flat: args.flat,
        parts: &parts,
        classes: &classes,
        stand_in,
    };
    let made = watched(|watch| export.apply(&args.out, watch))?;
    let shape = parts.first().map_or([0; 3], |part| part.examples.shape);
    let made = MadeSet {
        shape,
        are_images: true,
        classes: classes.clone(),
        stand_in,
        parts: made,
        together: None,
    };
    tell(args.json, &args.out, &made, text::of_export)
}

/// Divides a file into one for each part.
pub fn split(args: &SplitArgs) -> Result<ExitCode, Failure> {
    let Some(partition) = partition(&args.fractions)? else {
        return Err(Failure::usage(
            "nothing to hold out\n  set --test-fraction, for example to 0.1",
        ));
    };
    let made = watched(|watch| partition.apply(&args.input, &args.out, watch))?;
    tell(args.json, &args.out, &made, text::of_split)
}

/// How parts are to be held out, if they are.
fn partition(args: &FractionArgs) -> Result<Option<Partition>, Failure> {
    let &FractionArgs { test_fraction, validation_fraction, seed, ignore_twins } = args;
    if test_fraction.is_none() && validation_fraction.is_none() {
        return Ok(None);
    }
    let [test, validation] = [test_fraction, validation_fraction].map(Option::unwrap_or_default);
    if test + validation >= 1.0 {
        return Err(Failure::usage(format!(
            "a test fraction of {test} and a validation fraction of {validation} leave nothing to train on\n  choose smaller ones"
        )));
    }
    let split = SplitConfig { test_fraction: test, validation_fraction: validation };
    Ok(Some(Partition { split, seed, keeps_twins_together: !ignore_twins }))
}

/// Does something long, shows how far it is, and stops it at a signal.
fn watched<T>(long: impl FnOnce(&mut Watch) -> Result<T, TransferError>) -> Result<T, Failure> {
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let mut under_way: Option<(&str, Work)> = None;
    let mut watch = |doing: &'static str, done: usize, total: usize| {
        match &under_way {
            Some((known, work)) if *known == doing => work.reach(done),
            _ => under_way = Some((doing, Work::go_on(doing, done, total))),
        }
        match signals.received() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    };
    long(&mut watch).map_err(|error| match (&error, signals.received()) {
        (TransferError::Stopped, Some(stop)) => Failure::stopped(error.to_string(), stop),
        _ => Failure::from(error),
    })
}

fn tell<T: Serialize>(
    json: bool,
    out: &Path,
    made: T,
    text: impl FnOnce(&Report<T>) -> String,
) -> Result<ExitCode, Failure> {
    let report = Report { out: out.to_owned(), made };
    print::result(&match json {
        true => format!("{:#}", serde_json::json!(report)),
        false => text(&report),
    })?;
    Ok(ExitCode::SUCCESS)
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match &error {
            TransferError::Occupied { .. } | TransferError::OneFile { .. } => {
                Self::usage(error.to_string())
            }
            TransferError::Dataset(data) => match **data {
                DatasetError::EmptySplit { part, fraction, count, .. } => Self::usage(format!(
                    "a {part} fraction of {fraction} holds out none of {count} examples\n  choose a larger --{part}-fraction; twins are held out together or not at all, unless --ignore-twins is given"
                )),
                _ => Self::run(&error),
            },
            _ => Self::run(&error),
        }
    }
}
