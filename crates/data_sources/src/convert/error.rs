use std::io;
use std::path::{Path, PathBuf};

use data::DatasetError;
use data_hdf5::Hdf5Error;
use serde::Serialize;

/// Error of a conversion.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}\n  check the path and its permissions", path.display())]
    Unreadable {
        /// File or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}\n  check the permissions of the folder and the free disk space", path.display())]
    Unwritable {
        /// File or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The output path is in use.
    #[error("{} {state}\n  remove it first, or choose another output path", path.display())]
    OutputExists {
        /// Output path.
        path: PathBuf,
        /// `exists`, `is a file` or `is not empty`.
        state: &'static str,
    },
    /// Several splits cannot be written to one file.
    #[error("{} is one file, but there are {splits}\n  choose a directory as the output path", path.display())]
    NeedsDirectory {
        /// Output path.
        path: PathBuf,
        /// Description of the splits.
        splits: String,
    },
    /// The input has an unsupported layout.
    #[error("{}: {found}\n  {remedy}", path.display())]
    Layout {
        /// File or folder.
        path: PathBuf,
        /// Its unsupported property.
        found: String,
        /// Correction.
        remedy: String,
    },
    /// The images differ in size, and no size to resize them to is given.
    #[error("the images have {} sizes, height x width:\n{}\n  resize all of them, for example to {suggestion}", sizes.len(), listed_sizes(sizes))]
    DifferentSizes {
        /// Each size with the number of its images and one of their files; the most frequent first.
        sizes: Vec<([usize; 2], usize, PathBuf)>,
        /// Size for a first attempt, `HEIGHTxWIDTH` or one number.
        suggestion: String,
    },
    /// Images cannot be read.
    #[error("{} cannot be read:\n{}\n  repair, remove or skip them", counted(images.len(), "image"), listed(images))]
    UnreadableImages {
        /// All of them.
        images: Vec<UnreadableImage>,
    },
    /// The progress callback stopped the conversion.
    #[error("stopped; nothing was written")]
    Stopped,
    /// The examples are invalid, or their file cannot be read or written.
    #[error(transparent)]
    Dataset(Box<DatasetError>),
}

/// An image that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadableImage {
    /// Image file.
    pub path: PathBuf,
    /// Error of reading it.
    pub reason: String,
}

/// Maximum number of sizes in a message.
const MAX_SIZES: usize = 10;

impl ConvertError {
    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }

    pub(super) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unwritable { path: path.to_owned(), source }
    }

    pub(super) fn layout(path: &Path, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Layout { path: path.to_owned(), found: found.into(), remedy: remedy.into() }
    }

    pub(super) fn different_sizes(sizes: Vec<([usize; 2], usize, PathBuf)>) -> Self {
        let suggestion = match sizes.first() {
            Some(([height, width], ..)) if *height.max(width) <= 128 => format!("{height}x{width}"),
            _ => "64".to_owned(),
        };
        Self::DifferentSizes { sizes, suggestion }
    }

    /// Replaces the path of a temporary file in the message by `path`, its final path.
    pub(super) fn at(self, path: &Path) -> Self {
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

/// Formats a count: `1 image`, `2 images`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The first three of `names`, for a message.
pub(super) fn first_few<T: AsRef<str>>(names: &[T]) -> String {
    let first: Vec<_> = names.iter().take(3).map(T::as_ref).collect();
    let more = if names.len() > first.len() { ", .." } else { "" };
    first.join(", ") + more
}

fn listed(images: &[UnreadableImage]) -> String {
    let lines = images.iter().map(|image| format!("  {}: {}", image.path.display(), image.reason));
    lines.collect::<Vec<_>>().join("\n")
}

fn listed_sizes(sizes: &[([usize; 2], usize, PathBuf)]) -> String {
    let lines = sizes.iter().take(MAX_SIZES).map(|([height, width], count, path)| {
        let (images, path) = (counted(*count, "image"), path.display());
        format!("  {:>9}  {images}, for example {path}", format!("{height}x{width}"))
    });
    let mut lines: Vec<_> = lines.collect();
    let more = sizes.len().saturating_sub(MAX_SIZES);
    lines.extend((more > 0).then(|| format!("  and {} more", counted(more, "size"))));
    lines.join("\n")
}
