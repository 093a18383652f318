use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Why an HDF5 file was not read or written, and what to do about it.
///
/// Serialised without the path of the file, which need not be text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Hdf5Error {
    /// The path leads to nothing that can be read.
    #[error("{}: found {found}, expected an HDF5 file; {remedy}", file.display())]
    Unreadable {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// What is there instead.
        found: String,
        /// What to do.
        remedy: Box<str>,
    },
    /// The file is something else than HDF5.
    #[error("{}: found {found}, expected an HDF5 file; {remedy}", file.display())]
    NotHdf5 {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// What the first bytes say.
        found: Box<str>,
        /// What to do.
        remedy: Box<str>,
    },
    /// The file holds the other part only.
    #[error("{}: `{object}` is missing, found `{found}`: this is the file of the other part; swap the paths of the training and the test file", file.display())]
    WrongPart {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// What was asked for.
        object: String,
        /// What is there instead.
        found: String,
    },
    /// The file lacks an object.
    #[error("{}: `{object}` is missing, found {found}; {remedy}", file.display())]
    Missing {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// What was asked for.
        object: String,
        /// The names that the file has.
        found: String,
        /// What to do.
        remedy: Box<str>,
    },
    /// An object has another kind, type, shape or storage than is accepted.
    #[error("{}: `{object}` is {found}, expected {expected}; {remedy}", file.display())]
    Structure {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// The object.
        object: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
        /// What to do.
        remedy: Box<str>,
    },
    /// A feature, a label or a class name does not fit.
    #[error("{}: `{object}` holds {found}, expected {expected}; {remedy}", file.display())]
    Content {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// The object.
        object: String,
        /// The value and where it stands.
        found: String,
        /// What it should be.
        expected: String,
        /// What to do.
        remedy: Box<str>,
    },
    /// The bytes contradict themselves: a broken download or disk.
    #[error("{}: `{object}` cannot be read ({reason}): the file is damaged; download it again", file.display())]
    Damaged {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// The object.
        object: String,
        /// What went wrong, in the words of libhdf5 where it was the one to notice.
        reason: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read ({reason}); check its permissions and the disk", file.display())]
    NotRead {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is no longer what it was when it was opened.
    #[error("{}: was changed while it was in use; put it back as it was", file.display())]
    Changed {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
    },
    /// The process that reads the file did not come to its end.
    #[error("{}: the process that reads it {reason}; {remedy}", file.display())]
    Reader {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// How it ended.
        reason: String,
        /// What to do.
        remedy: Box<str>,
    },
    /// The file could not be written; an earlier file of that name is untouched.
    #[error("{}: `{object}` cannot be written ({reason}); check the folder's permissions and the free space", file.display())]
    Write {
        /// The path as given.
        #[serde(skip)]
        file: PathBuf,
        /// The object.
        object: String,
        /// What went wrong.
        reason: String,
    },
}

impl Hdf5Error {
    /// The same of this file.
    pub(crate) fn of(mut self, path: &Path) -> Self {
        let (Self::Unreadable { file, .. }
        | Self::NotHdf5 { file, .. }
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

/// An object of a file, for messages.
#[derive(Debug, Clone)]
pub(super) struct Site<'a> {
    pub(super) file: &'a Path,
    pub(super) object: String,
}

impl<'a> Site<'a> {
    pub(super) fn new(file: &'a Path, name: &str) -> Self {
        Self { file, object: format!("/{name}") }
    }

    pub(super) fn structure(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: &'static str,
    ) -> Hdf5Error {
        let (file, object) = self.parts();
        Hdf5Error::Structure {
            file,
            object,
            found: found.into(),
            expected: expected.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn content(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: &'static str,
    ) -> Hdf5Error {
        let (file, object) = self.parts();
        Hdf5Error::Content {
            file,
            object,
            found: found.into(),
            expected: expected.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn damaged(&self, reason: impl ToString) -> Hdf5Error {
        let (file, object) = self.parts();
        Hdf5Error::Damaged { file, object, reason: one_line(&reason.to_string()) }
    }

    pub(super) fn write(&self, reason: impl ToString) -> Hdf5Error {
        let (file, object) = self.parts();
        Hdf5Error::Write { file, object, reason: plain(&reason.to_string()) }
    }

    pub(super) fn parts(&self) -> (PathBuf, String) {
        (self.file.to_path_buf(), self.object.clone())
    }
}

/// A name of the file, which may be of any length and hold anything.
pub(super) fn shortened(name: &str) -> String {
    let start = name.escape_debug().take(64).collect::<String>();
    if start.len() < name.len() { start + ".." } else { start }
}

/// What the system said, if libhdf5 tells its number; else the words of libhdf5.
fn plain(reason: &str) -> String {
    let number = reason.split_once("errno = ").and_then(|(_, rest)| rest.split(',').next());
    match number.and_then(|number| number.trim().parse().ok()) {
        Some(number) => io::Error::from_raw_os_error(number).to_string(),
        None => one_line(reason),
    }
}

fn one_line(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_said_is_told_in_the_words_of_the_system() {
        let reason = "H5Dwrite(): can't write data: file write failed: filename = 'x', errno = 28, \
                      error message = 'No space left on device', buf = 0x0";
        let error = Site::new(Path::new("x.h5"), "train_set_x").write(reason).to_string();
        assert!(
            error.contains("cannot be written (No space left on device (os error 28))"),
            "{error}"
        );
    }
}
