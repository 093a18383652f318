use std::io;
use std::path::{Path, PathBuf};

use crate::error::Hdf5Error;
use crate::mend;

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
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<Box<str>>,
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

    pub fn content(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        remedy: impl Into<Box<str>>,
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

    pub fn damaged(&self, reason: impl ToString) -> Hdf5Error {
        let (file, object) = self.parts();
        if reason.to_string().contains("bad version number") {
            let found = "in the form of a newer HDF5 library, or damaged";
            return self.structure(found, "the form of HDF5 1.10", mend::copy(self));
        }
        Hdf5Error::Damaged { file, object, reason: one_line(&reason.to_string()) }
    }

    pub fn write(&self, reason: impl ToString) -> Hdf5Error {
        let (file, object) = self.parts();
        Hdf5Error::Write { file, object, reason: plain(&reason.to_string()) }
    }

    pub fn parts(&self) -> (PathBuf, String) {
        (self.file.to_path_buf(), self.object.clone())
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
