//! One reading of a file from its start to its end, which sums it up.

use sha2::{Digest, Sha256};

use super::BLOCK;
use super::steady::Steady;
use crate::digest::hexadecimal;
use crate::hdf5::Hdf5Error;
use crate::hdf5::error::Site;
use crate::work::Work;

/// The bytes of a file in their order.
pub struct Pass<'a> {
    file: &'a Steady,
    object: &'a str,
    hash: Sha256,
    position: u64,
    work: Work,
}

impl<'a> Pass<'a> {
    /// Begins at the start of `file`, for the values of `object`.
    pub fn new(file: &'a Steady, object: &'a str) -> Self {
        let name = file.path().file_name().unwrap_or_default().to_string_lossy();
        let work = Work::begin(format!("reading {name}"), file.length() as usize);
        Self { file, object, hash: Sha256::new(), position: 0, work }
    }

    /// Fills `target` with the bytes from `offset` on, which must lie behind what was read before.
    pub fn read(&mut self, offset: u64, target: &mut [u8]) -> Result<(), Hdf5Error> {
        self.skip_to(offset)?;
        // Summed up while they are in the cache.
        target.chunks_mut(BLOCK).try_for_each(|block| self.next(block))
    }

    /// The SHA-256 of the file, which must be as it was.
    pub fn finish(mut self) -> Result<String, Hdf5Error> {
        self.skip_to(self.file.length())?;
        self.file.must_be_unchanged()?;
        Ok(hexadecimal(&self.hash.finalize()))
    }

    fn skip_to(&mut self, offset: u64) -> Result<(), Hdf5Error> {
        let mut left = offset.checked_sub(self.position).ok_or_else(|| {
            let site = Site { file: self.file.path(), object: self.object.to_owned() };
            site.damaged("parts of it lie over each other")
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
        self.work.advance(block.len());
        Ok(())
    }
}
