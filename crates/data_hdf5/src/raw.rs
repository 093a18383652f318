//! Unfiltered bytes of a dataset in row-major order, or their location.

use crate::buffer::read_at;
use crate::error::Hdf5Error;
use crate::object::Object;
use crate::rows::Layout;
use crate::storage::Storage;
use crate::{chunks, ffi};

/// Maximum number of chunks that are located in the file: the time of libhdf5 for each grows with their
/// number.
const MOST_CHUNKS: usize = 4096;

impl Object<'_> {
    /// Number of rows of a chunk if every row is contiguous: the dataset is, or its chunks consist of
    /// whole rows.
    fn rows_of_chunk(&self) -> Option<usize> {
        match (&self.storage, &self.shape[..]) {
            (Storage::Contiguous(_), [count, ..]) => Some(*count),
            // The chunk offsets of libhdf5 do not include a user block.
            (Storage::Chunked { chunk, filters }, [count, row @ ..])
                if filters.is_empty() && self.source.file.userblock() == 0 =>
            {
                let (&rows, rest) = chunk.split_first()?;
                (rest == row && count.div_ceil(rows.max(1)) <= MOST_CHUNKS).then_some(rows)
            }
            _ => None,
        }
    }

    /// Returns whether rows are not contiguous, so that all have to be read at once.
    pub fn is_packed(&self) -> bool {
        self.rows_of_chunk().is_none()
    }

    /// Returns the layout of the rows; packed ones are read.
    pub fn layout(&self) -> Result<Layout, Hdf5Error> {
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
            let offset = offset.map_err(|error| self.context.damaged(error))?;
            offset.ok_or_else(|| self.context.damaged("a chunk of it was not allocated"))
        };
        (0..count).step_by(rows.max(1)).map(offset).collect()
    }

    /// Reads all elements.
    pub fn bytes(&self) -> Result<Vec<u8>, Hdf5Error> {
        let bytes = match &self.storage {
            Storage::Compact => {
                ffi::read_compact(&self.dataset).map_err(|error| self.context.damaged(error))?
            }
            Storage::Contiguous(offset) => read_at(&self.context, *offset, self.size)?,
            Storage::Chunked { chunk, filters } => chunks::read(self, chunk, filters)?,
        };
        if bytes.len() == self.size {
            Ok(bytes)
        } else {
            Err(self.context.damaged("it ends too early"))
        }
    }
}
