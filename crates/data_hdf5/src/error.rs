use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use data::DatasetError;
use serde::{Deserialize, Serialize};

/// Error of reading or writing an HDF5 file, with a remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{}: {message}", file.display())]
pub struct Hdf5Error {
    /// Path as given; not serialized, since it may not be valid text.
    #[serde(skip)]
    file: PathBuf,
    /// Kind of error.
    pub kind: Hdf5ErrorKind,
    message: String,
}

/// Kind of an [`Hdf5Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Hdf5ErrorKind {
    /// The file contains only other parts.
    WrongPart,
    /// The kind, type, shape or storage of an object is not supported.
    Structure,
    /// The process that reads the file crashed.
    ReaderCrashed,
    /// The process that reads the file exceeded its time limit.
    ReaderTimedOut,
    /// The process that reads the file could not be run, was killed, or gave an invalid answer.
    ReaderFailed,
    /// The file is missing, damaged, incomplete or invalid, or cannot be read or written.
    Other,
}

impl Hdf5Error {
    pub(crate) fn new(file: &Path, kind: Hdf5ErrorKind, message: String) -> Self {
        Self { file: file.to_path_buf(), kind, message }
    }

    pub(crate) fn other(file: &Path, message: impl Into<String>) -> Self {
        Self::new(file, Hdf5ErrorKind::Other, message.into())
    }

    /// Error for something in place of an HDF5 file.
    pub(crate) fn not_hdf5(file: &Path, found: impl Display, remedy: &str) -> Self {
        Self::other(file, format!("found {found}, expected an HDF5 file; {remedy}"))
    }

    /// Replaces the path of the file.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        Self { file: path.to_path_buf(), ..self }
    }
}

impl From<Hdf5Error> for DatasetError {
    fn from(error: Hdf5Error) -> Self {
        Self::source(error)
    }
}

/// File and object that errors refer to.
#[derive(Debug, Clone)]
pub struct ErrorContext<'a> {
    pub file: &'a Path,
    pub object: String,
}

impl<'a> ErrorContext<'a> {
    pub fn new(file: &'a Path, name: &str) -> Self {
        Self { file, object: format!("/{name}") }
    }

    pub fn structure(
        &self,
        found: impl Display,
        expected: impl Display,
        remedy: impl Display,
    ) -> Hdf5Error {
        let message = format!("`{}` is {found}, expected {expected}; {remedy}", self.object);
        Hdf5Error::new(self.file, Hdf5ErrorKind::Structure, message)
    }

    pub fn content(
        &self,
        found: impl Display,
        expected: impl Display,
        remedy: impl Display,
    ) -> Hdf5Error {
        let message = format!("`{}` holds {found}, expected {expected}; {remedy}", self.object);
        Hdf5Error::other(self.file, message)
    }

    pub fn damaged(&self, reason: impl Display) -> Hdf5Error {
        let reason = reason.to_string();
        if reason.contains("bad version number") {
            let found = "in the form of a newer HDF5 library, or damaged";
            return self.structure(found, "the form of HDF5 1.10", self.copy_command());
        }
        let (object, reason) = (&self.object, one_line(&reason));
        let message = format!("`{object}` cannot be read ({reason}): the file is damaged");
        let remedy = "download it again, or write it again and close it";
        Hdf5Error::other(self.file, format!("{message}; {remedy}"))
    }

    pub fn write(&self, reason: impl Display) -> Hdf5Error {
        let (object, reason) = (&self.object, plain(&reason.to_string()));
        let remedy = "check the folder's permissions and the free space";
        Hdf5Error::other(self.file, format!("`{object}` cannot be written ({reason}); {remedy}"))
    }

    /// The command that replaces the object `x` by the Python expression `expression`. Each expression that
    /// is passed here was tried.
    pub fn replace_command(&self, expression: &str) -> String {
        let (file, object) = (self.file_in_command(), &self.object);
        format!(
            "replace it: `python3 -c \"import h5py, numpy as np; f = h5py.File('{file}', 'r+'); \
             x = f['{object}'][()]; del f['{object}']; f['{object}'] = {expression}\"`"
        )
    }

    /// The command that copies every dataset of the file to a new one, contiguous and without filters.
    /// `h5repack` would leave out those with a filter that it does not know, with exit code 0.
    pub fn copy_command(&self) -> String {
        format!(
            "copy the data to a new file: `pip install h5py hdf5plugin`, then `python3 -c \"import \
             h5py, hdf5plugin; a = h5py.File('{}'); b = h5py.File('new.h5', 'w'); \
             a.visititems(lambda name, x: b.update({{name: x[()]}}) if isinstance(x, h5py.Dataset) \
             else None)\"`",
            self.file_in_command()
        )
    }

    /// The path of the file if it can be part of such a command.
    fn file_in_command(&self) -> String {
        let path = self.file.display().to_string();
        let is_plain = |c: char| c.is_alphanumeric() || "/._- +,".contains(c);
        if path.chars().all(is_plain) { path } else { "old.h5".to_owned() }
    }
}

/// Escapes and shortens a name from a file, which may contain anything.
pub fn shortened(name: &str) -> String {
    let start = name.escape_debug().take(64).collect::<String>();
    if start.len() < name.len() { start + ".." } else { start }
}

/// Returns the message of the operating system if libhdf5 reports its error number, otherwise that of
/// libhdf5.
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
    fn errors_of_the_disk_use_the_message_of_the_system() {
        let reason = "H5Dwrite(): can't write data: file write failed: filename = 'x', errno = 28, \
                      error message = 'No space left on device', buf = 0x0";
        let error = ErrorContext::new(Path::new("x.h5"), "train_set_x").write(reason).to_string();
        assert!(
            error.contains("cannot be written (No space left on device (os error 28))"),
            "{error}"
        );
    }
}
