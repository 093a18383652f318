use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::Hdf5Error;

/// An open file that must not change, with its length and modification time when it was opened.
#[derive(Debug)]
pub struct UnchangedFile {
    path: PathBuf,
    file: File,
    length: u64,
    modified: Option<SystemTime>,
}

impl UnchangedFile {
    pub fn open(path: &Path) -> Result<Self, Hdf5Error> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened.map_err(|error| unreadable(path, &error))?;
        let (length, modified) = state(&metadata);
        Ok(Self { path: path.to_path_buf(), file, length, modified })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills `target` with the bytes at `offset`.
    pub fn read(&self, offset: u64, target: &mut [u8]) -> Result<(), Hdf5Error> {
        self.file.read_exact_at(target, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.changed(),
            _ => unreadable(&self.path, &error),
        })
    }

    /// Fails if length or modification time have changed.
    pub fn must_be_unchanged(&self) -> Result<(), Hdf5Error> {
        let now = self.file.metadata().map_err(|error| unreadable(&self.path, &error))?;
        if state(&now) == (self.length, self.modified) { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Hdf5Error {
        Hdf5Error::Changed { file: self.path.clone() }
    }
}

fn state(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

fn unreadable(path: &Path, error: &io::Error) -> Hdf5Error {
    Hdf5Error::NotRead { file: path.to_path_buf(), reason: error.to_string() }
}
