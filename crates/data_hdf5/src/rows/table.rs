use data::Rows;
use support::memory;

use super::encoding::Encoding;
use super::hashing_reader::{BLOCK, HashingReader};
use super::layout::Segment;
use super::unchanged_file::UnchangedFile;
use crate::budget::must_fit;
use crate::buffer::reserve;
use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::residency::Residency;

/// All values of a file.
#[derive(Debug)]
pub struct Table {
    pub file: UnchangedFile,
    /// Name of the HDF5 object.
    pub object: String,
    pub encoding: Encoding,
    /// Number of values of a row.
    pub width: usize,
    /// Number of channels of a pixel.
    pub channels: usize,
    /// Number of rows.
    pub count: usize,
    /// Contiguous rows, in order.
    pub segments: Vec<Segment>,
}

/// Values are kept in memory if they take at most 1 / `FREE_SHARE` of the free memory.
const FREE_SHARE: u64 = 4;

const NO_ROOM: &str = "free memory, or leave `dataset.hdf5.in_memory` out";

impl Table {
    /// Returns whether the values should stay in the file.
    pub fn stays_in_file(&self, residency: Residency) -> Result<bool, Hdf5Error> {
        let free = memory::available().unwrap_or(u64::MAX);
        let bytes = (self.count * self.row_bytes()) as u64;
        // Floats are decoded into a second buffer.
        let decoded =
            if self.encoding == Encoding::Pixel { 0 } else { self.count * self.width * 4 };
        let needed = bytes + decoded as u64;
        match residency {
            Residency::Automatic => Ok(needed > free / FREE_SHARE),
            Residency::InFile => Ok(true),
            Residency::InMemory => {
                must_fit(&self.context(), bytes, (needed, free), NO_ROOM).map(|()| false)
            }
        }
    }

    /// Decodes `bytes`, the values of all rows, and hashes the file.
    pub fn unpack(&self, bytes: Vec<u8>) -> Result<(Rows, String), Hdf5Error> {
        let values = self.encoding.decode(&self.context(), bytes, self.width, 0..self.count)?;
        Ok((values, HashingReader::new(&self.file, &self.object).finish()?))
    }

    /// Reads all values into memory, and hashes the file on the way.
    pub fn read(&self) -> Result<(Rows, String), Hdf5Error> {
        let (context, row) = (self.context(), self.row_bytes());
        let mut bytes = reserve(&context, self.count * row)?;
        bytes.resize(self.count * row, 0);
        let mut reader = HashingReader::new(&self.file, &self.object);
        for segment in self.in_file_order() {
            let target = bytes.get_mut(segment.row * row..(segment.row + segment.rows) * row);
            reader.read(segment.offset, target.unwrap_or_default())?;
        }
        let sha256 = reader.finish()?;
        Ok((self.encoding.decode(&context, bytes, self.width, 0..self.count)?, sha256))
    }

    /// Calls `visit` with the first row and the values of each block of rows, in the order of the
    /// file. Returns the SHA-256 of the file.
    pub fn read_blocks(&self, mut visit: impl FnMut(usize, &Rows)) -> Result<String, Hdf5Error> {
        let (context, row) = (self.context(), self.row_bytes());
        let mut reader = HashingReader::new(&self.file, &self.object);
        let mut bytes = Vec::new();
        let segments = self.in_file_order().into_iter();
        for block in segments.flat_map(|segment| segment.blocks(BLOCK / row.max(1), row)) {
            bytes.resize(block.rows * row, 0);
            reader.read(block.offset, &mut bytes)?;
            let rows = block.row..block.row + block.rows;
            let values = self.encoding.decode(&context, bytes, self.width, rows)?;
            visit(block.row, &values);
            bytes = match values {
                Rows::Pixels(bytes) => bytes,
                Rows::Features(_) => Vec::new(),
            };
        }
        reader.finish()
    }

    /// Reads the rows at `indices`, in that order.
    ///
    /// # Errors
    ///
    /// If there is no such row, or the file cannot be read or has changed.
    pub fn read_rows(&self, indices: &[usize]) -> Result<Rows, Hdf5Error> {
        let (context, row) = (self.context(), self.row_bytes());
        let mut bytes = reserve(&context, indices.len() * row)?;
        bytes.resize(indices.len() * row, 0);
        for (&index, target) in indices.iter().zip(bytes.chunks_exact_mut(row.max(1))) {
            let offset = self.offset(index);
            let offset = offset.ok_or_else(|| context.damaged(format!("it has no row {index}")))?;
            self.file.read(offset, target)?;
        }
        // Checked last: values read before a change are those that were checked.
        self.file.must_be_unchanged()?;
        self.encoding.decode(&context, bytes, self.width, indices.iter().copied())
    }

    fn in_file_order(&self) -> Vec<Segment> {
        let mut segments = self.segments.clone();
        segments.sort_unstable_by_key(|segment| segment.offset);
        segments
    }

    /// Number of bytes of a row.
    fn row_bytes(&self) -> usize {
        self.width * self.encoding.size()
    }

    /// Offset in the file of the row at `index`.
    fn offset(&self, index: usize) -> Option<u64> {
        let after = self.segments.partition_point(|segment| segment.row <= index);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let within = index - segment.row;
        (within < segment.rows).then(|| segment.offset + (within * self.row_bytes()) as u64)
    }

    fn context(&self) -> ErrorContext<'_> {
        ErrorContext { file: self.file.path(), object: self.object.clone() }
    }
}
