use std::io;
use std::path::PathBuf;

use crate::hdf5::Hdf5Error;

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file of the data set is not there.
    #[error("the data file {} is missing\n  put it there{}, or let the trainer draw a stand-in with `on_missing = \"synthesize\"` where none of the files exists", file.display(), env.as_ref().map(|name| format!(", set {name} to the directory that holds it")).unwrap_or_default())]
    Missing {
        /// The file that is missing.
        file: PathBuf,
        /// The environment variable that may name another directory.
        env: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}\n  check its permissions and the disk", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Two parts of one data set hold different things.
    #[error("the examples of {} ({other_holds}) are not like those of {} ({train_holds})\n  use files of one data set", other.display(), train.display())]
    Mismatch {
        /// The file of the training set.
        train: PathBuf,
        /// Its shape and classes.
        train_holds: String,
        /// The other file.
        other: PathBuf,
        /// Its shape and classes.
        other_holds: String,
    },
    /// Two parts of one data set hold the same examples.
    #[error("the {} set, {}, and the {} set, {}, hold the same examples\n  give each part examples of its own", one.0, one.1.display(), other.0, other.1.display())]
    SameExamples {
        /// Name and file of one part.
        one: (&'static str, PathBuf),
        /// Name and file of the other.
        other: (&'static str, PathBuf),
    },
    /// The split leaves a part with nothing in it.
    #[error(
        "a {part} fraction of {fraction} leaves {rest} of {count} examples to train on and {held_out} to hold out\n  change `split.{part}_fraction`"
    )]
    EmptySplit {
        /// `validation` or `test`.
        part: &'static str,
        /// The share of the examples.
        fraction: f64,
        /// The examples there are.
        count: usize,
        /// What is left to train on.
        rest: usize,
        /// What is held out.
        held_out: usize,
    },
    /// The data are no images.
    #[error(
        "`augmentation` changes images, and these data are examples of {features} features\n  remove it from the config"
    )]
    NotAugmentable {
        /// The number of their features.
        features: usize,
    },
    /// The images are such that they cannot be changed so.
    #[error("{reason}\n  change or remove it in `augmentation`")]
    Augmentation {
        /// Why not.
        reason: String,
    },
    /// A file is not what it should be.
    #[error(transparent)]
    Hdf5(#[from] Hdf5Error),
}
