use sha2::{Digest, Sha256};
use support::ProgressTask;
use support::sha256::hexadecimal;

use super::unchanged_file::UnchangedFile;
use crate::context::ErrorContext;
use crate::error::Hdf5Error;

/// Number of bytes read and hashed at once.
pub const BLOCK: usize = 1 << 18;

/// Reads a file once from start to end, in order, and hashes it.
pub struct HashingReader<'a> {
    file: &'a UnchangedFile,
    object: &'a str,
    hash: Sha256,
    position: u64,
    task: ProgressTask,
}

impl<'a> HashingReader<'a> {
    /// Starts at the beginning of `file`, for the values of `object`.
    pub fn new(file: &'a UnchangedFile, object: &'a str) -> Self {
        let name = file.path().file_name().unwrap_or_default().to_string_lossy();
        let task = ProgressTask::start(format!("reading {name}"), file.length() as usize);
        Self { file, object, hash: Sha256::new(), position: 0, task }
    }

    /// Fills `target` with the bytes at `offset`, which must not lie before the current position.
    pub fn read(&mut self, offset: u64, target: &mut [u8]) -> Result<(), Hdf5Error> {
        self.skip_to(offset)?;
        // Hashed while the block is in the cache.
        target.chunks_mut(BLOCK).try_for_each(|block| self.next(block))
    }

    /// Hashes the rest and returns the SHA-256 of the file, which must not have changed.
    pub fn finish(mut self) -> Result<String, Hdf5Error> {
        self.skip_to(self.file.length())?;
        self.file.must_be_unchanged()?;
        Ok(hexadecimal(&self.hash.finalize()))
    }

    fn skip_to(&mut self, offset: u64) -> Result<(), Hdf5Error> {
        let mut left = offset.checked_sub(self.position).ok_or_else(|| {
            let context = ErrorContext { file: self.file.path(), object: self.object.to_owned() };
            context.damaged("parts of it overlap")
        })?;
        let mut block = vec![0; left.min(BLOCK as u64) as usize];
        while left > 0 {
            block.truncate(left.min(BLOCK as u64) as usize);
            self.next(&mut block)?;
            left -= block.len() as u64;
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
