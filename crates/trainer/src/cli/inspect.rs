//! The arguments of `trainer data inspect`.

use std::path::PathBuf;

use clap::Args;

use super::RunsOption;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct InspectArgs {
    /// The TOML file of an experiment, a run, HDF5 files of one data set, or a folder of either
    #[arg(value_name = "CONFIG|RUN|FILE|DIR", required = true)]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Write the page inspection.html, with pictures of classes and problems, to this directory
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the examples with problems to this CSV file
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
