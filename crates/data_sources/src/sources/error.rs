use std::path::PathBuf;

use data::{DatasetError, SplitKind};

/// Error of the files of a data set.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file is missing.
    #[error("the data file {} is missing\n  put it there{}, name its directory with `dataset.hdf5.directory`, or set `on_missing = \"synthesize\"` to use synthetic data where none of the files exists", file.display(), env.as_ref().map(|name| format!(", set {name} to the directory that contains it")).unwrap_or_default())]
    Missing {
        /// The missing file.
        file: PathBuf,
        /// Environment variable that may name another directory.
        env: Option<String>,
    },
    /// Two splits differ in shape or classes.
    #[error("{} contains {other_contents}, but {} contains {train_contents}\n  use files of the same data set", other.display(), train.display())]
    Mismatch {
        /// File of the training set.
        train: PathBuf,
        /// Its shape and classes.
        train_contents: String,
        /// File of the other split.
        other: PathBuf,
        /// Its shape and classes.
        other_contents: String,
    },
    /// Two splits contain the same examples.
    #[error("the {} set, {}, and the {} set, {}, hold the same examples\n  use different examples for each split", one.0, one.1.display(), other.0, other.1.display())]
    SameExamples {
        /// One split and its file.
        one: (SplitKind, PathBuf),
        /// The other split and its file.
        other: (SplitKind, PathBuf),
    },
}

impl From<FilesError> for DatasetError {
    fn from(error: FilesError) -> Self {
        Self::source(error)
    }
}
