use std::path::{Path, PathBuf};

use data::{DatasetError, SplitKind};
use serde::{Deserialize, Serialize};

use crate::names;

/// Error of reading or writing an HDF5 file, with a remedy.
///
/// Serialized without the path of the file, which may not be valid text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Hdf5Error {
    /// The path does not name a readable file.
    #[error("{}: found {found}, expected an HDF5 file; {remedy}", file.display())]
    Unreadable {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Object found instead.
        found: String,
        /// Remedy.
        remedy: Box<str>,
    },
    /// The file is not HDF5.
    #[error("{}: found {found}, expected an HDF5 file; {remedy}", file.display())]
    NotHdf5 {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// File type according to the first bytes.
        found: Box<str>,
        /// Remedy.
        remedy: Box<str>,
    },
    /// A program writes the file, or was ended before it closed the file.
    #[error("{}: is still open in the program that writes it, or was never closed; close it there (`file.close()` in h5py), or, if that program has ended, run `h5clear -s` on it", file.display())]
    NotClosed {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
    },
    /// The file contains only other parts.
    #[error("{}: has no {}, found `{found}`: this is the file of another part; swap the paths of the files, or name the object by `dataset.hdf5.images`", file.display(), names::set(*split))]
    WrongPart {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Requested part.
        split: SplitKind,
        /// Object found instead.
        found: String,
    },
    /// The file lacks an object.
    #[error("{}: has no {what}, found {found}; {remedy}", file.display())]
    Missing {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// What was looked for.
        what: String,
        /// Names in the file.
        found: String,
        /// Remedy.
        remedy: Box<str>,
    },
    /// The kind, type, shape or storage of an object is not supported.
    #[error("{}: `{object}` is {found}, expected {expected}; {remedy}", file.display())]
    Structure {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Name of the object.
        object: String,
        /// Actual property.
        found: String,
        /// Expected property.
        expected: String,
        /// Remedy.
        remedy: Box<str>,
    },
    /// A feature, a label or a class name is invalid.
    #[error("{}: `{object}` holds {found}, expected {expected}; {remedy}", file.display())]
    Content {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Name of the object.
        object: String,
        /// Value and index.
        found: String,
        /// Expected property.
        expected: String,
        /// Remedy.
        remedy: Box<str>,
    },
    /// The file is inconsistent, for example after an interrupted download.
    #[error("{}: `{object}` cannot be read ({reason}): the file is damaged; download it again, or write it again and close it", file.display())]
    Damaged {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Name of the object.
        object: String,
        /// Reason, from libhdf5 if it detected the damage.
        reason: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read ({reason}); check its permissions and the disk", file.display())]
    NotRead {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Error of the operating system.
        reason: String,
    },
    /// The file has changed since it was opened.
    #[error("{}: was changed while it was in use; put it back as it was", file.display())]
    Changed {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
    },
    /// The process that reads the file failed.
    #[error("{}: the process that reads it {reason}; {remedy}", file.display())]
    Reader {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Kind of failure.
        failure: ReaderFailure,
        /// Reason.
        reason: String,
        /// Remedy.
        remedy: Box<str>,
    },
    /// The file could not be written; an earlier file of that name is untouched.
    #[error("{}: `{object}` cannot be written ({reason}); check the folder's permissions and the free space", file.display())]
    Write {
        /// Path as given.
        #[serde(skip)]
        file: PathBuf,
        /// Name of the object.
        object: String,
        /// Reason.
        reason: String,
    },
}

/// Kind of failure of the process that reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReaderFailure {
    /// It crashed.
    Crashed,
    /// It exceeded its time limit.
    TimedOut,
    /// It could not be run, was killed, or gave an invalid answer.
    Other,
}

impl Hdf5Error {
    /// Replaces the path of the file.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        let (Self::Unreadable { file, .. }
        | Self::NotHdf5 { file, .. }
        | Self::NotClosed { file }
        | Self::WrongPart { file, .. }
        | Self::Missing { file, .. }
        | Self::Structure { file, .. }
        | Self::Content { file, .. }
        | Self::Damaged { file, .. }
        | Self::NotRead { file, .. }
        | Self::Changed { file }
        | Self::Reader { file, .. }
        | Self::Write { file, .. }) = &mut self;
        *file = path.to_path_buf();
        self
    }
}

impl From<Hdf5Error> for DatasetError {
    fn from(error: Hdf5Error) -> Self {
        Self::source(error)
    }
}
