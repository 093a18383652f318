use data::Rows;
use support::memory;

use super::encoding::Encoding;
use super::hashing_reader::{BLOCK, HashingReader};
use super::layout::Segment;
use super::pixel_scale::{PixelScale, ValueRange};
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
    /// Height, width and channels of an image; 1, 1 and the number of features otherwise.
    pub shape: [usize; 3],
    /// Scale of pixels.
    pub scale: PixelScale,
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
        let needed = (self.count * self.width() * self.encoding.decoded_size()) as u64;
        match residency {
            Residency::Automatic => Ok(needed > free / FREE_SHARE),
            Residency::InFile => Ok(true),
            Residency::InMemory => {
                must_fit(&self.context(), bytes, (needed, free), NO_ROOM).map(|()| false)
            }
        }
    }

    /// Range of all values, which are read once.
    pub fn range(&self) -> Result<ValueRange, Hdf5Error> {
        let mut range = ValueRange::EMPTY;
        let read = |offset, bytes: &mut [u8]| self.file.read(offset, bytes);
        self.each_block(read, |first_row, bytes| {
            self.add_to_range(&mut range, first_row, &bytes)?;
            Ok(bytes)
        })?;
        Ok(range)
    }

    /// Range of `bytes`, the values of all rows.
    pub fn range_of(&self, bytes: &[u8]) -> Result<ValueRange, Hdf5Error> {
        let mut range = ValueRange::EMPTY;
        self.add_to_range(&mut range, 0, bytes)?;
        Ok(range)
    }

    /// Decodes `bytes`, the values of all rows, and hashes the file.
    pub fn unpack(&self, bytes: Vec<u8>) -> Result<(Rows, String), Hdf5Error> {
        let values = self.decode(bytes, 0..self.count)?;
        Ok((values, HashingReader::new(&self.file, &self.object).finish()?))
    }

    /// Reads all values into memory, and hashes the file on the way.
    pub fn read(&self) -> Result<(Rows, String), Hdf5Error> {
        let length = self.count * self.width();
        if self.encoding == Encoding::PIXELS {
            return self.read_pixels(length);
        }
        let (mut pixels, mut features) = (Vec::new(), Vec::new());
        if self.encoding.are_pixels() {
            pixels = zeros(&self.context(), length)?;
        } else {
            features = zeros(&self.context(), length)?;
        }
        let sha256 = self.read_blocks(|first_row, rows| {
            let start = first_row * self.width();
            match rows {
                Rows::Pixels(block) => put(&mut pixels, start, block),
                Rows::Features(block) => put(&mut features, start, block),
            }
        })?;
        let are_pixels = self.encoding.are_pixels();
        Ok((if are_pixels { Rows::Pixels(pixels) } else { Rows::Features(features) }, sha256))
    }

    /// Calls `visit` with the first row and the values of each block of rows, in the order of the
    /// file. Returns the SHA-256 of the file.
    pub fn read_blocks(&self, mut visit: impl FnMut(usize, &Rows)) -> Result<String, Hdf5Error> {
        let mut reader = HashingReader::new(&self.file, &self.object);
        let read = |offset, bytes: &mut [u8]| reader.read(offset, bytes);
        self.each_block(read, |first_row, bytes| {
            let values = self.decode(bytes, first_row..self.count)?;
            visit(first_row, &values);
            Ok(match values {
                Rows::Pixels(bytes) => bytes,
                Rows::Features(_) => Vec::new(),
            })
        })?;
        reader.finish()
    }

    /// Reads values that need no conversion, directly to their place.
    fn read_pixels(&self, length: usize) -> Result<(Rows, String), Hdf5Error> {
        let (mut pixels, row) = (zeros(&self.context(), length)?, self.row_bytes());
        let mut reader = HashingReader::new(&self.file, &self.object);
        for segment in self.in_file_order() {
            let target = pixels.get_mut(segment.row * row..(segment.row + segment.rows) * row);
            reader.read(segment.offset, target.unwrap_or_default())?;
        }
        Ok((Rows::Pixels(pixels), reader.finish()?))
    }

    /// Reads blocks of rows in the order of the file. `visit` receives the first row and the bytes of
    /// each, and returns a buffer for the next one.
    fn each_block(
        &self,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<(), Hdf5Error>,
        mut visit: impl FnMut(usize, Vec<u8>) -> Result<Vec<u8>, Hdf5Error>,
    ) -> Result<(), Hdf5Error> {
        let row = self.row_bytes();
        let segments = self.in_file_order().into_iter();
        let mut blocks = segments.flat_map(|segment| segment.blocks(BLOCK / row.max(1), row));
        let all = blocks.try_fold(Vec::new(), |mut bytes, block| {
            bytes.resize(block.rows * row, 0);
            read(block.offset, &mut bytes)?;
            visit(block.row, bytes)
        });
        all.map(drop)
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
        self.decode(bytes, indices.iter().copied())
    }

    /// Number of values of a row.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn context(&self) -> ErrorContext<'_> {
        ErrorContext { file: self.file.path(), object: self.object.clone() }
    }

    fn decode(&self, bytes: Vec<u8>, rows: impl Iterator<Item = usize>) -> Result<Rows, Hdf5Error> {
        self.encoding.decode(&self.context(), bytes, (self.shape, self.scale), rows)
    }

    fn add_to_range(
        &self,
        range: &mut ValueRange,
        first_row: usize,
        bytes: &[u8],
    ) -> Result<(), Hdf5Error> {
        let context = self.context();
        let mut rows = bytes.chunks_exact(self.row_bytes().max(1)).enumerate();
        rows.try_for_each(|(row, bytes)| {
            range.add(&context, first_row + row, bytes, self.encoding.number)
        })
    }

    fn in_file_order(&self) -> Vec<Segment> {
        let mut segments = self.segments.clone();
        segments.sort_unstable_by_key(|segment| segment.offset);
        segments
    }

    /// Number of bytes of a row.
    fn row_bytes(&self) -> usize {
        self.width() * self.encoding.number.size()
    }

    /// Offset in the file of the row at `index`.
    fn offset(&self, index: usize) -> Option<u64> {
        let after = self.segments.partition_point(|segment| segment.row <= index);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let within = index - segment.row;
        (within < segment.rows).then(|| segment.offset + (within * self.row_bytes()) as u64)
    }
}

fn zeros<T: Clone + Default>(context: &ErrorContext, count: usize) -> Result<Vec<T>, Hdf5Error> {
    let mut zeros = reserve(context, count)?;
    zeros.resize(count, T::default());
    Ok(zeros)
}

/// Copies `block` to `start` of `all`.
fn put<T: Copy>(all: &mut [T], start: usize, block: &[T]) {
    if let Some(target) = all.get_mut(start..start + block.len()) {
        target.copy_from_slice(block);
    }
}
