//! Converts data sets: `trainer data import`, `export`, `split` and `clean`.

mod text;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use data::{DatasetError, Fit, SplitConfig};
use data_sources::convert::{
    Cleaning, ConvertError, ConvertedDataset, Export, Import, ProgressCallback,
};
use data_sources::images::{ImagesError, Labelling};
use data_sources::quality::Splitting;
use data_sources::quality::inspection::{Finding, Inspection};
use regex::Regex;
use serde::Serialize;
use support::ProgressTask;

use super::inspect::{Subject, is_config};
use crate::cli::one_of;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, signals};

#[derive(Debug, Args)]
#[command(after_help = IMPORT_LAYOUTS)]
pub struct ImportArgs {
    /// Folders of images; several are merged, or are splits if named train, validation, test
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Output HDF5 file, or a new directory with one file per split
    #[arg(long, value_name = "FILE.h5|DIR")]
    out: PathBuf,
    /// Regular expression for the path of an image, whose group is its class
    #[arg(long, value_name = "REGEX")]
    label_pattern: Option<String>,
    /// CSV file with the columns path, label and, if it has parts, split
    #[arg(long, value_name = "FILE.csv", conflicts_with = "label_pattern")]
    labels: Option<PathBuf>,
    /// Resize all images to this size; required if their sizes differ
    #[arg(long, value_name = "SIDE|HEIGHTxWIDTH", value_parser = size)]
    size: Option<[usize; 2]>,
    /// Resizing of images with another aspect ratio
    #[arg(long, default_value = "stretch", requires = "size", value_parser = one_of(&[
        ("stretch", "Scale height and width independently", Fit::Stretch),
        ("crop", "Crop the centre of the image to the aspect ratio", Fit::Crop),
        ("pad", "Add black borders around the whole image", Fit::Pad),
    ]))]
    fit: Fit,
    /// Store one grey channel instead of three
    #[arg(long)]
    grey: bool,
    /// Skip unreadable images and list them
    #[arg(long)]
    skip_corrupt: bool,
    #[command(flatten)]
    fractions: FractionArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const IMPORT_LAYOUTS: &str = "\
Images are JPEG, PNG, WebP, BMP, GIF or TIFF files in one of two layouts:
  DIR/<class>/**/*.png  one folder per class
  DIR/<class>_17.png    one folder, with the class before a number at the end, or
                        before the first underscore
Either may be inside DIR/train, DIR/validation (or val, valid) and DIR/test.
Other layouts need --label-pattern or --labels.

Labels number the classes from 0: numerically if all names are numbers, else in
natural order (class2 before class10), or in the order of DIR/classes.txt, which
lists one name per line. Images are stored in the natural order of their names
and rotated according to their EXIF orientation. Transparent parts become white.
Hidden files and files that are not images are skipped. Links are followed.

The files record --fit, and `trainer predict` follows it.";

#[derive(Debug, Args)]
struct FractionArgs {
    /// Fraction of each class for the test set, for example 0.1
    #[arg(long, value_name = "F", value_parser = fraction)]
    test_fraction: Option<f64>,
    /// Fraction of each class for the validation set
    #[arg(long, value_name = "F", value_parser = fraction)]
    validation_fraction: Option<f64>,
    /// Seed of the split, like `seed` in a config
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Do not keep near-duplicates together in one split
    #[arg(long)]
    ignore_near_duplicates: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// HDF5 file in the layout of data/README.md, or TOML file of an experiment
    #[arg(value_name = "FILE.h5|CONFIG")]
    input: PathBuf,
    /// New directory; for a config it holds one folder per split
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write CLASS_00017.png instead of CLASS/00017.png
    #[arg(long)]
    flat: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = CLEANING)]
pub struct CleanArgs {
    /// The TOML file of an experiment, a run, HDF5 files of one data set, or a folder of either
    #[arg(value_name = "CONFIG|RUN|FILE|DIR", required = true)]
    inputs: Vec<PathBuf>,
    /// New directory for the files of the splits
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const CLEANING: &str = "\
Removes what `trainer data inspect` lists, except suspect labels:
  equal examples of a split   the first is kept; none if their labels differ
  near-duplicates of splits   the validation or test example is removed
  blank images                all are removed

DIR also gets removed.csv, which lists what was removed and why.";

#[derive(Debug, Args)]
#[command(
    override_usage = "trainer data split --out <DIR> --test-fraction <F> [OPTIONS] <FILE.h5>"
)]
#[command(after_help = NEAR_DUPLICATES)]
#[command(group = ArgGroup::new("fractions").args(["test_fraction", "validation_fraction"]).required(true).multiple(true))]
pub struct SplitArgs {
    /// HDF5 file with a training set, in the layout of data/README.md
    #[arg(value_name = "FILE.h5")]
    input: PathBuf,
    /// New directory for the files of the splits
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    fractions: FractionArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const NEAR_DUPLICATES: &str = "\
Near-duplicate images, as found by `trainer data inspect`, and equal examples
are kept in the same split: otherwise the test score would count images that
the model was trained on. The splits are those of a training run with these
fractions and this seed. They depend on the content of the examples, not on
their order.";

/// Parses `64` or `48x64` as height and width.
fn size(text: &str) -> Result<[usize; 2], String> {
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    match (height.parse(), width.parse()) {
        (Ok(height @ 1..=4096), Ok(width @ 1..=4096)) => Ok([height, width]),
        _ => Err("expected one or two sides from 1 to 4096, such as 64 or 48x64".to_owned()),
    }
}

fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if 0.0 < fraction && fraction < 1.0 => Ok(fraction),
        _ => Err("expected a number between 0 and 1".to_owned()),
    }
}

/// Output path and contents of the new data set, as JSON.
#[derive(Serialize)]
struct Report<'a, T> {
    out: &'a Path,
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

pub fn import(args: &ImportArgs) -> Result<(), Failure> {
    let pattern = args.label_pattern.as_ref().map(|pattern| Regex::new(pattern)).transpose();
    let pattern = pattern.map_err(|error| Failure::usage(format!("--label-pattern: {error}")))?;
    let FractionArgs { test_fraction, validation_fraction, .. } = args.fractions;
    let is_split = test_fraction.or(validation_fraction).is_some();
    let import = Import {
        folders: args.folders.clone(),
        labelling: Labelling { pattern, csv: args.labels.clone() },
        size: args.size,
        fit: args.fit,
        grey: args.grey,
        skip_corrupt: args.skip_corrupt,
        partition: is_split.then(|| partition(&args.fractions)).transpose()?,
    };
    let made = with_progress(|progress| import.apply(&args.out, progress))?;
    let report = Report { out: &args.out, made: &made };
    print::json_or_text(args.json, &report, || text::of_import(&args.out, &made))
}

pub fn export(args: &ExportArgs, context: &Context) -> Result<(), Failure> {
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
    let report = Report { out: &args.out, made: &made };
    print::json_or_text(args.json, &report, || text::of_export(&args.out, &made))
}

pub fn split(args: &SplitArgs) -> Result<(), Failure> {
    let partition = partition(&args.fractions)?;
    let made = with_progress(|progress| partition.split_file(&args.input, &args.out, progress))?;
    let report = Report { out: &args.out, made: &made };
    print::json_or_text(args.json, &report, || text::of_split(&args.out, &made))
}

/// Writes a data set without the examples that falsify a score.
pub fn clean(args: &CleanArgs, context: &Context) -> Result<(), Failure> {
    let Subject { parts, classes, synthetic, fit, .. } = Subject::open(&args.inputs, context)?;
    let findings = Inspection::of(&parts, &classes)?.findings();
    let cleaning = Cleaning { parts, classes: &classes, synthetic, fit, findings };
    let (dataset, removed) = with_progress(|progress| cleaning.apply(&args.out, progress))?;
    let report = Report { out: &args.out, made: Cleaned { dataset, removed } };
    print::json_or_text(args.json, &report, || text::of_cleaning(&args.out, &report.made))
}

/// The held-out fractions.
fn partition(args: &FractionArgs) -> Result<Splitting, Failure> {
    let &FractionArgs { test_fraction, validation_fraction, seed, ignore_near_duplicates } = args;
    let [test_fraction, validation_fraction] =
        [test_fraction, validation_fraction].map(Option::unwrap_or_default);
    if test_fraction + validation_fraction >= 1.0 {
        return Err(Failure::usage(format!(
            "a test fraction of {test_fraction} and a validation fraction of {validation_fraction} leave no training set\n  choose smaller fractions"
        )));
    }
    let config = SplitConfig { test_fraction, validation_fraction, ..SplitConfig::default() };
    Ok(Splitting { config, seed, keep_groups: !ignore_near_duplicates })
}

/// Runs a long operation with a progress bar and stops it on a signal.
fn with_progress<T>(
    operation: impl FnOnce(&mut ProgressCallback) -> Result<T, ConvertError>,
) -> Result<T, Failure> {
    let signals = signals::listen()?;
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
        (ConvertError::Images(ImagesError::Stopped), Some(stop)) => Failure::stopped(&error.to_string(), stop),
        (ConvertError::Dataset(data), _) => match **data {
            DatasetError::EmptySplit { split, fraction, count, .. } => Failure::usage(format!(
                "a {split} fraction of {fraction} holds out none of {count} examples\n  choose a larger --{split}-fraction, or --ignore-near-duplicates to split groups of near-duplicates"
            )),
            _ => error.into(),
        },
        _ => error.into(),
    })
}
