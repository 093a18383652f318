//! The arguments of `trainer data`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use data::Fit;

use super::{InspectArgs, SynthesizeArgs};

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Generate synthetic images in the file layout of the courses
    Synthesize(SynthesizeArgs),
    /// Summarize a data set and report its problems
    Inspect(InspectArgs),
    /// Convert folders of images to HDF5 files
    Import(ImportArgs),
    /// Write the images of a data set as PNG files, one folder per class
    Export(ExportArgs),
    /// Split a file into a training, a validation and a test set
    Split(SplitArgs),
    /// Write a data set without duplicates, contradictory labels and blank images
    Clean(CleanArgs),
}

#[derive(Debug, Args)]
#[command(after_help = IMPORT_LAYOUTS)]
pub struct ImportArgs {
    /// Folders of images; several are merged, or are splits if named train, validation, test
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// Output HDF5 file, or a new directory with one file per split
    #[arg(long, value_name = "FILE.h5|DIR")]
    pub out: PathBuf,
    /// Regular expression for the path of an image, whose group is its class
    #[arg(long, value_name = "REGEX")]
    pub label_pattern: Option<String>,
    /// CSV file with the columns path, label and, if it has parts, split
    #[arg(long, value_name = "FILE.csv", conflicts_with = "label_pattern")]
    pub labels: Option<PathBuf>,
    /// Resize all images to this size; required if their sizes differ
    #[arg(long, value_name = "SIDE|HEIGHTxWIDTH", value_parser = size)]
    pub size: Option<[usize; 2]>,
    /// Resizing of images with another aspect ratio
    #[arg(long, value_enum, default_value_t, requires = "size")]
    pub fit: FitChoice,
    /// Store one grey channel instead of three
    #[arg(long)]
    pub grey: bool,
    /// Skip unreadable images and list them
    #[arg(long)]
    pub skip_corrupt: bool,
    #[command(flatten)]
    pub fractions: FractionArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FitChoice {
    /// Scale height and width independently
    #[default]
    Stretch,
    /// Crop the centre of the image to the aspect ratio
    Crop,
    /// Add black borders around the whole image
    Pad,
}

#[derive(Debug, Args)]
pub struct FractionArgs {
    /// Fraction of each class for the test set, for example 0.1
    #[arg(long, value_name = "F", value_parser = fraction)]
    pub test_fraction: Option<f64>,
    /// Fraction of each class for the validation set
    #[arg(long, value_name = "F", value_parser = fraction)]
    pub validation_fraction: Option<f64>,
    /// Seed of the split, like `seed` in a config
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Do not keep near-duplicates together in one split
    #[arg(long)]
    pub ignore_near_duplicates: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// HDF5 file in the layout of data/README.md, or TOML file of an experiment
    #[arg(value_name = "FILE.h5|CONFIG")]
    pub input: PathBuf,
    /// New directory; for a config it holds one folder per split
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Write CLASS_00017.png instead of CLASS/00017.png
    #[arg(long)]
    pub flat: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = CLEANING)]
pub struct CleanArgs {
    /// The TOML file of an experiment, a run, HDF5 files of one data set, or a folder of either
    #[arg(value_name = "CONFIG|RUN|FILE|DIR", required = true)]
    pub inputs: Vec<PathBuf>,
    /// New directory for the files of the splits
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
    pub input: PathBuf,
    /// New directory for the files of the splits
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub fractions: FractionArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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

impl From<FitChoice> for Fit {
    fn from(choice: FitChoice) -> Self {
        match choice {
            FitChoice::Stretch => Self::Stretch,
            FitChoice::Crop => Self::Crop,
            FitChoice::Pad => Self::Pad,
        }
    }
}
