use std::path::PathBuf;

use data::{DatasetError, SplitKind};

/// Error of the files of a data set.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file is missing.
    #[error("the data file {} is missing\n  put it there{}, or let the trainer draw a stand-in with `on_missing = \"synthesize\"` where none of the files exists", file.display(), env.as_ref().map(|name| format!(", set {name} to the directory that holds it")).unwrap_or_default())]
    Missing {
        /// The missing file.
        file: PathBuf,
        /// Environment variable that may name another directory.
        env: Option<String>,
    },
    /// Two parts differ in shape or classes.
    #[error("the examples of {} ({other_holds}) are not like those of {} ({train_holds})\n  use files of one data set", other.display(), train.display())]
    Mismatch {
        /// File of the training set.
        train: PathBuf,
        /// Its shape and classes.
        train_holds: String,
        /// File of the other part.
        other: PathBuf,
        /// Its shape and classes.
        other_holds: String,
    },
    /// Two parts contain the same examples.
    #[error("the {} set, {}, and the {} set, {}, hold the same examples\n  give each part examples of its own", one.0, one.1.display(), other.0, other.1.display())]
    SameExamples {
        /// One part and its file.
        one: (SplitKind, PathBuf),
        /// The other part and its file.
        other: (SplitKind, PathBuf),
    },
}

impl From<FilesError> for DatasetError {
    fn from(error: FilesError) -> Self {
        Self::source(error)
    }
}
