//! The bytes of a data set, as stored but for its filters, in row-major order.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::Hdf5Error;
use super::error::Site;
use super::object::Object;
use super::storage::Storage;
use super::{chunks, ffi};

impl Object<'_> {
    /// All elements, one after the other.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Hdf5Error> {
        let bytes = match &self.storage {
            Storage::Compact => {
                ffi::read_compact(&self.dataset).map_err(|error| self.site.damaged(error))?
            }
            Storage::Contiguous(offset) => read_at(&self.site, *offset, self.size)?,
            Storage::Chunked { chunk, filters } => chunks::read(self, chunk, filters)?,
        };
        match bytes.len() == self.size {
            true => Ok(bytes),
            false => Err(self.site.damaged("it ends too early")),
        }
    }
}

/// Up to `size` bytes of the file from `offset` on.
pub(super) fn read_at(site: &Site, offset: u64, size: usize) -> Result<Vec<u8>, Hdf5Error> {
    let mut bytes = reserve(site, size)?;
    let mut file = File::open(site.file).map_err(|error| site.damaged(error))?;
    file.seek(SeekFrom::Start(offset)).map_err(|error| site.damaged(error))?;
    file.take(size as u64).read_to_end(&mut bytes).map_err(|error| site.damaged(error))?;
    Ok(bytes)
}

/// An empty vector with room for `count` elements, or an error where memory is short.
pub(super) fn reserve<T>(site: &Site, count: usize) -> Result<Vec<T>, Hdf5Error> {
    let mut elements = Vec::new();
    match elements.try_reserve_exact(count) {
        Ok(()) => Ok(elements),
        Err(_) => {
            let found = format!("{} bytes long", count.saturating_mul(size_of::<T>()));
            let remedy = "free memory, or split the file";
            Err(site.structure(found, "what fits in memory", remedy))
        }
    }
}
