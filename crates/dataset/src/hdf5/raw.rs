//! The bytes of a data set, as stored but for its filters, in row-major order; or where they lie.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::Hdf5Error;
use super::error::Site;
use super::object::Object;
use super::storage::Storage;
use super::stored::Layout;
use super::{chunks, ffi};

/// The most chunks that are looked for in a file, since libhdf5 takes the longer for each the more
/// there are.
const MOST_CHUNKS: usize = 4096;

impl Object<'_> {
    /// The rows of a chunk, if every row is in one piece: in the file as it is, or in chunks of
    /// whole rows.
    fn rows_of_chunk(&self) -> Option<usize> {
        match (&self.storage, &self.shape[..]) {
            (Storage::Contiguous(_), [count, ..]) => Some(*count),
            // What libhdf5 says of chunks leaves out a block of the user's before them.
            (Storage::Chunked { chunk, filters }, [count, row @ ..])
                if filters.is_empty() && self.source.file.userblock() == 0 =>
            {
                let (&rows, rest) = chunk.split_first()?;
                (rest == row && count.div_ceil(rows.max(1)) <= MOST_CHUNKS).then_some(rows)
            }
            _ => None,
        }
    }

    /// Whether the rows have to be read all at once, since they do not lie in one piece each.
    pub(super) fn is_packed(&self) -> bool {
        self.rows_of_chunk().is_none()
    }

    /// Where the rows lie; read, if they are packed.
    pub(super) fn layout(&self) -> Result<Layout, Hdf5Error> {
        match (&self.storage, self.rows_of_chunk()) {
            (Storage::Contiguous(offset), _) => Ok(Layout::Contiguous(*offset)),
            (_, Some(rows)) => {
                let offsets = self.chunk_offsets(rows)?;
                Ok(Layout::Chunked { rows, offsets })
            }
            (_, None) => self.bytes().map(Layout::Packed),
        }
    }

    fn chunk_offsets(&self, rows: usize) -> Result<Vec<u64>, Hdf5Error> {
        let count = self.shape.first().copied().unwrap_or_default();
        let offset = |start: usize| {
            let mut origin = vec![0; self.shape.len()];
            origin.iter_mut().take(1).for_each(|first| *first = start as u64);
            let offset = ffi::chunk_offset(&self.dataset, &origin);
            let offset = offset.map_err(|error| self.site.damaged(error))?;
            offset.ok_or_else(|| self.site.damaged("a chunk of it was not allocated"))
        };
        (0..count).step_by(rows.max(1)).map(offset).collect()
    }

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
