use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use support::ProgressTask;
use support::sha256::hexadecimal;

use crate::error::{ErrorContext, Hdf5Error};

/// An open file that must not change, with its length and modification time when it was opened.
#[derive(Debug)]
pub struct UnchangedFile {
    pub path: PathBuf,
    /// Length of the file in bytes.
    pub length: u64,
    file: File,
    modified: Option<SystemTime>,
}

impl UnchangedFile {
    pub fn open(path: &Path) -> Result<Self, Hdf5Error> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened.map_err(|error| unreadable(path, error))?;
        let (length, modified) = state(&metadata);
        Ok(Self { path: path.to_path_buf(), length, file, modified })
    }

    /// Fills `target` with the bytes at `offset`.
    pub fn read(&self, offset: u64, target: &mut [u8]) -> Result<(), Hdf5Error> {
        self.file.read_exact_at(target, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.changed(),
            _ => unreadable(&self.path, error),
        })
    }

    /// Fails if length or modification time have changed.
    pub fn must_be_unchanged(&self) -> Result<(), Hdf5Error> {
        let now = self.file.metadata().map_err(|error| unreadable(&self.path, error))?;
        if state(&now) == (self.length, self.modified) { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Hdf5Error {
        Hdf5Error::other(&self.path, "was changed while it was in use; put it back as it was")
    }
}

fn state(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

fn unreadable(path: &Path, error: std::io::Error) -> Hdf5Error {
    Hdf5Error::other(path, format!("cannot be read ({error}); check its permissions and the disk"))
}

/// Number of bytes read and hashed at once, while they are in the cache.
pub const BLOCK: usize = 1 << 18;

/// Reads a file once from start to end, in order, and hashes it.
pub struct HashingReader<'a> {
    file: &'a UnchangedFile,
    context: ErrorContext<'a>,
    hash: Sha256,
    position: u64,
    task: ProgressTask,
}

impl<'a> HashingReader<'a> {
    /// Starts at the beginning of `file`, for the values of the object of `context`.
    pub fn new(file: &'a UnchangedFile, context: ErrorContext<'a>) -> Self {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let task = ProgressTask::start(format!("reading {name}"), file.length as usize);
        Self { file, context, hash: Sha256::new(), position: 0, task }
    }

    /// Fills `block` with the bytes at `offset`, which must not lie before the current position.
    pub fn read(&mut self, offset: u64, block: &mut [u8]) -> Result<(), Hdf5Error> {
        self.skip_to(offset)?;
        self.next(block)
    }

    /// Hashes the rest and returns the SHA-256 of the file, which must not have changed.
    pub fn finish(mut self) -> Result<String, Hdf5Error> {
        self.skip_to(self.file.length)?;
        self.file.must_be_unchanged()?;
        Ok(hexadecimal(&self.hash.finalize()))
    }

    fn skip_to(&mut self, offset: u64) -> Result<(), Hdf5Error> {
        let left = offset.checked_sub(self.position);
        let left = left.ok_or_else(|| self.context.damaged("parts of it overlap"))?;
        let mut block = vec![0; left.min(BLOCK as u64) as usize];
        while self.position < offset {
            block.truncate((offset - self.position).min(BLOCK as u64) as usize);
            self.next(&mut block)?;
        }
        Ok(())
    }

    fn next(&mut self, block: &mut [u8]) -> Result<(), Hdf5Error> {
        self.file.read(self.position, block)?;
        self.hash.update(&*block);
        self.position += block.len() as u64;
        self.task.advance(block.len());
        Ok(())
    }
}
