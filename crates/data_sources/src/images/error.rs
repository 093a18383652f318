use std::io;
use std::path::{Path, PathBuf};

use data::DatasetError;
use serde::Serialize;

/// Error of folders of images.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}\n  check the path and its permissions", path.display())]
    Unreadable {
        /// File or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The folders have an unsupported layout.
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
    #[error("{} cannot be read:\n{}\n  repair, remove or skip them", counted(images.len(), "image"), listed_images(images))]
    UnreadableImages {
        /// All of them.
        images: Vec<UnreadableImage>,
    },
    /// The progress callback stopped the conversion.
    #[error("stopped; nothing was written")]
    Stopped,
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
/// Maximum number of unreadable images in a message.
const MAX_IMAGES: usize = 50;

impl ImagesError {
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }

    pub(crate) fn layout(path: &Path, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Layout { path: path.to_owned(), found: found.into(), remedy: remedy.into() }
    }

    pub(crate) fn different_sizes(sizes: Vec<([usize; 2], usize, PathBuf)>) -> Self {
        let suggestion = match sizes.first() {
            Some(([height, width], ..)) if height == width && *height <= 128 => height.to_string(),
            _ => "64".to_owned(),
        };
        Self::DifferentSizes { sizes, suggestion }
    }
}

impl From<ImagesError> for DatasetError {
    fn from(error: ImagesError) -> Self {
        Self::source(error)
    }
}

/// Formats a count: `1 image`, `2 images`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The first of `names`, for a message.
pub(crate) fn first_of<T: AsRef<str>>(most: usize, names: &[T]) -> String {
    let first: Vec<_> = names.iter().take(most).map(T::as_ref).collect();
    let more = if names.len() > most { ", .." } else { "" };
    first.join(", ") + more
}

/// The first three of `names`, for a message.
pub(crate) fn first_few<T: AsRef<str>>(names: &[T]) -> String {
    first_of(3, names)
}

/// A line for each of the first `items`.
fn listed<T>(items: &[T], most: usize, noun: &str, line: impl Fn(&T) -> String) -> String {
    let mut lines: Vec<_> = items.iter().take(most).map(line).collect();
    let more = items.len().saturating_sub(most);
    lines.extend((more > 0).then(|| format!("  and {} more", counted(more, noun))));
    lines.join("\n")
}

fn listed_images(images: &[UnreadableImage]) -> String {
    listed(images, MAX_IMAGES, "image", |UnreadableImage { path, reason }| {
        format!("  {}: {reason}", path.display())
    })
}

fn listed_sizes(sizes: &[([usize; 2], usize, PathBuf)]) -> String {
    listed(sizes, MAX_SIZES, "size", |([height, width], count, path)| {
        let (images, path) = (counted(*count, "image"), path.display());
        format!("  {:>9}  {images}, for example {path}", format!("{height}x{width}"))
    })
}
