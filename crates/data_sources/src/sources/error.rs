use std::path::PathBuf;

use data::{DatasetError, SplitKind};

use super::class_matching::UnknownClass;

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
    /// The directory is a file.
    #[error("`dataset.hdf5.directory` is {}, which is a file\n  set it to the directory of the file, and `train` to the name of the file", directory.display())]
    NotADirectory {
        /// The configured directory.
        directory: PathBuf,
    },
    /// Examples that are not images cannot be resized.
    #[error("`dataset.hdf5.size` resizes images, and the {split} set, {}, has features\n  remove it", path.display())]
    NotResizable {
        /// The split.
        split: SplitKind,
        /// Its file.
        path: PathBuf,
    },
    /// Two splits differ in shape or kind.
    #[error("the {split} set, {}, has {other_contents}, but the training set, {}, has {train_contents}\n  use files of the same data set", other.display(), train.display())]
    Mismatch {
        /// The other split.
        split: SplitKind,
        /// File of the training set.
        train: PathBuf,
        /// Kind and shape of its examples.
        train_contents: String,
        /// File of the other split.
        other: PathBuf,
        /// Kind and shape of its examples.
        other_contents: String,
    },
    /// A split has classes that the training set lacks.
    #[error("the {split} set, {}, has {}, but the training set has {} classes: {}\n  use files of the same data set, or remove these examples", path.display(), counts(unknown), names.len(), first(names))]
    UnknownClasses {
        /// The split.
        split: SplitKind,
        /// Its file.
        path: PathBuf,
        /// The classes.
        unknown: Vec<UnknownClass>,
        /// Classes of the training set.
        names: Vec<String>,
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

/// The first classes that the training set lacks, with the number of their examples.
fn counts(unknown: &[UnknownClass]) -> String {
    let class = |UnknownClass { name, count }: &UnknownClass| match count {
        1 => format!("1 example of class `{name}`"),
        count => format!("{count} examples of class `{name}`"),
    };
    first(&unknown.iter().map(class).collect::<Vec<_>>())
}

/// The first of many names.
fn first(names: &[String]) -> String {
    const MOST: usize = 8;
    let rest = names.len().saturating_sub(MOST);
    let first = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if rest == 0 { first } else { format!("{first} and {rest} more") }
}

impl From<FilesError> for DatasetError {
    fn from(error: FilesError) -> Self {
        Self::source(error)
    }
}
