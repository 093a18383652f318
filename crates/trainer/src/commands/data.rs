//! `trainer data`: the subcommands, and `synthesize`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use data::SplitKind;
use data_sources::{Subject, SyntheticConfig};

use super::convert::{self, CleanArgs, ExportArgs, ImportArgs, SplitArgs};
use super::inspect::{self, InspectArgs};
use crate::cli::one_of;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, text};

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
pub struct SynthesizeArgs {
    /// Subject of the images
    #[arg(long, default_value = "hands", value_parser = one_of(&[
        ("hands", "Hands with 0 to 5 raised fingers, for SIGNS", Subject::Hands),
        ("cats", "Cats, other animals and objects, for cat / non-cat", Subject::Cats),
    ]))]
    subject: Subject,
    /// Directory to write the training and the test file to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of training images
    #[arg(long, value_name = "N", default_value_t = 1080, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    train: u64,
    /// Number of test images
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    test: u64,
    /// Seed of the random number generator
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

pub fn run(command: &DataCommand, context: &Context) -> Result<(), Failure> {
    match command {
        DataCommand::Synthesize(args) => synthesize(args),
        DataCommand::Inspect(args) => inspect::run(args, context),
        DataCommand::Import(args) => convert::import(args),
        DataCommand::Export(args) => convert::export(args, context),
        DataCommand::Split(args) => convert::split(args),
        DataCommand::Clean(args) => convert::clean(args, context),
    }
}

fn synthesize(args: &SynthesizeArgs) -> Result<(), Failure> {
    let SynthesizeArgs { subject, ref out, train, test, seed } = *args;
    create_out(out)?;
    let name = if subject == Subject::Cats { "catvnoncat" } else { "signs" };
    let files = [(SplitKind::Train, train), (SplitKind::Test, test)]
        .map(|(split, count)| (out.join(format!("{split}_{name}.h5")), split, count));
    if let Some((path, ..)) = files.iter().find(|(path, ..)| path.exists()) {
        return Err(Failure::usage(format!(
            "{} already exists\n  choose another directory with --out, or remove it first",
            path.display()
        )));
    }
    let config = SyntheticConfig { subject, train: train as usize, test: test as usize, seed };
    for (path, split, count) in &files {
        config.write(*split, path)?;
        print::result(&format!("{}: {count} synthetic images, not real data", text::path(path)))?;
    }
    Ok(())
}

/// Creates the directory `--out` unless it exists.
pub fn create_out(out: &Path) -> Result<(), Failure> {
    fs::create_dir_all(out).map_err(|error| {
        Failure::usage(format!(
            "cannot create the directory {}: {error}\n  choose another one with --out",
            out.display()
        ))
    })
}
