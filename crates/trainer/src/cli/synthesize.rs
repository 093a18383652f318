//! The arguments of `trainer data synthesize`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct SynthesizeArgs {
    /// Subject of the images
    #[arg(long, value_enum, default_value_t)]
    pub subject: SubjectChoice,
    /// Directory to write the training and the test file to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Number of training images
    #[arg(long, value_name = "N", default_value_t = 1080, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    pub train: u64,
    /// Number of test images
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    pub test: u64,
    /// Seed of the random number generator
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SubjectChoice {
    /// Hands with 0 to 5 raised fingers, for SIGNS
    #[default]
    Hands,
    /// Cats, other animals and objects, for cat / non-cat
    Cats,
}
