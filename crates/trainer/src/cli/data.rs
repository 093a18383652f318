//! The arguments of `trainer data`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use dataset::Fit;

use super::{InspectArgs, SynthesizeArgs};

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Draw a stand-in for images of the courses, in files of their layout
    Synthesize(SynthesizeArgs),
    /// Tell what a data set holds and what is wrong with it
    Inspect(InspectArgs),
    /// Make HDF5 files of folders of images
    Import(ImportArgs),
    /// Write the images of a data set as PNG files, in a folder for each class
    Export(ExportArgs),
    /// Divide a file into a training, a validation and a test set
    Split(SplitArgs),
}

#[derive(Debug, Args)]
#[command(after_help = FORMS)]
pub struct ImportArgs {
    /// Folders of images; several are put together, or are parts if they are named as those
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The HDF5 file to make, or a new directory with a file for each part
    #[arg(long, value_name = "FILE.h5|DIR")]
    pub out: PathBuf,
    /// Bring all images to this size; without it they must all have one
    #[arg(long, value_name = "SIDE|HEIGHTxWIDTH", value_parser = size)]
    pub size: Option<[usize; 2]>,
    /// How images of another form are brought to the size
    #[arg(long, value_enum, default_value_t, requires = "size")]
    pub fit: FitChoice,
    /// Store one channel, of grey, and not three
    #[arg(long)]
    pub grey: bool,
    /// Leave out images that cannot be read, and list them
    #[arg(long)]
    pub skip_corrupt: bool,
    #[command(flatten)]
    pub fractions: FractionArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const FORMS: &str = "\
Images are PNG or JPEG files, in one of two forms:
  DIR/<class>/*.png     a folder for each class, with no folders in it
  DIR/<class>_*.png     together, their class before the first underscore
Either may be in folders DIR/train, DIR/validation (or val, valid) and DIR/test.

A label is the place of its class in the list of names: as numbers if all names
are, else in natural order (class2 before class10), or as a file DIR/classes.txt
lists them, a line each. Images are stored in the natural order of their names.
They are turned as their EXIF orientation says; hidden files and files that are
no images are left out; links are followed.

`trainer predict` brings images to the size as --fit stretch does.";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FitChoice {
    /// Height and width each to their size
    #[default]
    Stretch,
    /// The middle of the image, as much as has the form
    Crop,
    /// The whole image between black borders
    Pad,
}

#[derive(Debug, Args)]
pub struct FractionArgs {
    /// The share of each class to test on, for example 0.1
    #[arg(long, value_name = "F", value_parser = fraction)]
    pub test_fraction: Option<f64>,
    /// The share of each class to choose the best model by
    #[arg(long, value_name = "F", value_parser = fraction)]
    pub validation_fraction: Option<f64>,
    /// What the choice depends on, as a config's `seed`
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Do not look for twins, which are else kept together in one part
    #[arg(long)]
    pub ignore_twins: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// An HDF5 file in the layout of data/README.md, or the TOML file of an experiment
    #[arg(value_name = "FILE.h5|CONFIG")]
    pub input: PathBuf,
    /// The new directory; of a config it holds a folder for each part
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Write CLASS_00017.png, and not CLASS/00017.png
    #[arg(long)]
    pub flat: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "trainer data split --out <DIR> --test-fraction <F> [OPTIONS] <FILE.h5>"
)]
#[command(after_help = TOGETHER)]
#[command(group = ArgGroup::new("fractions").args(["test_fraction", "validation_fraction"]).required(true).multiple(true))]
pub struct SplitArgs {
    /// An HDF5 file with a training set, in the layout of data/README.md
    #[arg(value_name = "FILE.h5")]
    pub input: PathBuf,
    /// The new directory for the file of each part
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub fractions: FractionArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const TOGETHER: &str = "\
Twins, images of one picture as `trainer data inspect` finds them, are kept
together in one part, and so are equal examples: a score on images that the
model has seen is worth nothing. With --ignore-twins the parts are those that a
run of this seed makes itself.";

/// `64` or `48x64`.
fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    let size = side(height).zip(side(width)).map(|(height, width)| [height, width]);
    size.ok_or_else(|| "not a side, or height x width, from 1 to 4096: 64 or 48x64".to_owned())
}

fn fraction(text: &str) -> Result<f64, String> {
    let fraction = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
    fraction.ok_or_else(|| "not a number between 0 and 1".to_owned())
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
