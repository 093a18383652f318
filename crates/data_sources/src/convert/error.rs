use std::io;
use std::path::{Path, PathBuf};

use data::DatasetError;
use data_hdf5::Hdf5Error;
use serde::Serialize;

/// Why a data set was not brought into another form.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}\n  check the path and its permissions", path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}\n  check the folder's permissions and the free space", path.display())]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something stands where the result should.
    #[error("{} {found}\n  name another place with --out, or remove it first", path.display())]
    Occupied {
        /// The place.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// One file cannot hold all that would be made.
    #[error("{} is one file, and there would be {parts}\n  name a directory with --out", path.display())]
    OneFile {
        /// The file that was asked for.
        path: PathBuf,
        /// What would be made.
        parts: String,
    },
    /// What is there has not the form that it should.
    #[error("{}: {found}\n  {remedy}", path.display())]
    Form {
        /// Where.
        path: PathBuf,
        /// What is there.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// The images have several sizes.
    #[error("the images have {} sizes, height x width:\n{}\n  give one for all of them: --size {}", sizes.len(), listed_sizes(sizes), suggested(sizes))]
    Sizes {
        /// Each size, how many images have it and one of them; the most frequent first.
        sizes: Vec<([usize; 2], usize, PathBuf)>,
    },
    /// Images cannot be read.
    #[error("{} cannot be read:\n{}\n  repair or remove them, or leave them out with --skip-corrupt", counted(images.len(), "image"), listed(images))]
    Unusable {
        /// All of them.
        images: Vec<UnusableImage>,
    },
    /// It was to be stopped.
    #[error("stopped; nothing was written")]
    Stopped,
    /// The examples cannot be used, or their file cannot be read or written.
    #[error(transparent)]
    Dataset(Box<DatasetError>),
}

/// An image that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnusableImage {
    /// Its file.
    pub path: PathBuf,
    /// Why not.
    pub reason: String,
}

/// So many sizes are told.
const SIZES: usize = 10;

impl ConvertError {
    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }

    pub(super) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unwritable { path: path.to_owned(), source }
    }

    pub(super) fn form(path: &Path, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Form { path: path.to_owned(), found: found.into(), remedy: remedy.into() }
    }

    /// The same of the file at `path`, of which it tells what is written before it is there.
    pub(super) fn of(self, path: &Path) -> Self {
        match self {
            Self::Dataset(error) => match *error {
                DatasetError::Source(error) => match error.downcast::<Hdf5Error>() {
                    Ok(error) => error.at(path).into(),
                    Err(error) => DatasetError::Source(error).into(),
                },
                other => other.into(),
            },
            other => other,
        }
    }
}

impl From<DatasetError> for ConvertError {
    fn from(error: DatasetError) -> Self {
        Self::Dataset(Box::new(error))
    }
}

impl From<Hdf5Error> for ConvertError {
    fn from(error: Hdf5Error) -> Self {
        DatasetError::from(error).into()
    }
}

/// `1 image`, `2 images`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Some of `names`, for a message.
pub(super) fn some<T: AsRef<str>>(names: &[T]) -> String {
    let some: Vec<_> = names.iter().take(3).map(T::as_ref).collect();
    let more = if names.len() > some.len() { ", .." } else { "" };
    some.join(", ") + more
}

fn listed(images: &[UnusableImage]) -> String {
    let lines = images.iter().map(|image| format!("  {}: {}", image.path.display(), image.reason));
    lines.collect::<Vec<_>>().join("\n")
}

fn listed_sizes(sizes: &[([usize; 2], usize, PathBuf)]) -> String {
    let line = |([height, width], count, path): &([usize; 2], usize, PathBuf)| {
        let (images, path) = (counted(*count, "image"), path.display());
        format!("  {:>9}  {images}, for example {path}", format!("{height}x{width}"))
    };
    let mut lines: Vec<_> = sizes.iter().take(SIZES).map(line).collect();
    let more = sizes.len().saturating_sub(SIZES);
    lines.extend((more > 0).then(|| format!("  and {} more", counted(more, "size"))));
    lines.join("\n")
}

/// The size that most images have, made small enough for a first try.
fn suggested(sizes: &[([usize; 2], usize, PathBuf)]) -> String {
    match sizes.first() {
        Some(([height, width], ..)) if *height.max(width) <= 128 => format!("{height}x{width}"),
        _ => "64".to_owned(),
    }
}
