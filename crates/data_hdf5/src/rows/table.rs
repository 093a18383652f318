use std::mem;
use std::path::Path;

use data::{ChannelMoments, RowSource, SourceError, StoredRows, Values};
use serde::{Deserialize, Serialize};
use support::memory;

use super::encoding::{Encoding, PixelScale, ValueRange};
use super::unchanged_file::{BLOCK, HashingReader, UnchangedFile};
use crate::budget::must_fit;
use crate::error::{ErrorContext, Hdf5Error};
use crate::object::reserve;
use crate::part::Residency;

/// Arrangement of rows in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Rows that are not contiguous, for example compressed ones: the bytes of all of them.
    Packed(#[serde(skip)] Vec<u8>),
    /// `rows` contiguous rows at each of these offsets; the last chunk is padded.
    InFile { rows: usize, offsets: Vec<u64> },
}

/// All values of a file. They are read at once, or stay there as rows.
///
/// The file must not change: reading rows fails if its length or modification time does.
#[derive(Debug)]
pub struct Table {
    file: UnchangedFile,
    /// Name of the HDF5 object.
    object: String,
    pub encoding: Encoding,
    /// Height, width and channels of an image; 1, 1 and the number of features otherwise.
    shape: [usize; 3],
    /// Scale of pixels.
    pub scale: PixelScale,
    /// Number of rows.
    count: usize,
    layout: Layout,
    /// Moments of each row of pixels, one per channel; empty for features and before rows are scanned.
    moments: Vec<ChannelMoments>,
}

/// Values are kept in memory if they take at most 1 / `FREE_SHARE` of the free memory.
const FREE_SHARE: u64 = 4;

impl Table {
    /// Opens the object with the scale of bytes. Fails if rows exceed the end of the file.
    pub fn open(
        path: &Path,
        object: &str,
        encoding: Encoding,
        (count, shape): (usize, [usize; 3]),
        layout: Layout,
    ) -> Result<Self, Hdf5Error> {
        let (file, object, scale) =
            (UnchangedFile::open(path)?, object.to_owned(), PixelScale::BYTE);
        let table =
            Self { file, object, encoding, shape, scale, count, layout, moments: Vec::new() };
        let row = table.row_bytes() as u64;
        let is_inside = |(offset, _, rows): &(u64, usize, usize)| {
            let end = offset.checked_add((*rows as u64).saturating_mul(row));
            end.is_some_and(|end| end <= table.file.length)
        };
        if table.chunks().iter().all(is_inside) {
            Ok(table)
        } else {
            Err(table.context().damaged("it exceeds the end of the file"))
        }
    }

    /// Range of all values, which are read once.
    pub fn range(&self) -> Result<ValueRange, Hdf5Error> {
        let (context, row) = (self.context(), self.row_bytes().max(1));
        let mut range = ValueRange::EMPTY;
        let mut add = |first_row: usize, bytes: &[u8]| {
            let mut rows = bytes.chunks_exact(row).zip(first_row..);
            rows.try_for_each(|(bytes, row)| range.add(&context, row, bytes, self.encoding.number))
        };
        match &self.layout {
            Layout::Packed(bytes) => add(0, bytes)?,
            Layout::InFile { .. } => {
                let read = |offset, bytes: &mut [u8]| self.file.read(offset, bytes);
                self.each_block(read, |first_row, bytes| add(first_row, &bytes))?;
            }
        }
        Ok(range)
    }

    /// Reads or checks all values and hashes the file, once from its start to its end. Returns the values, in
    /// memory or in the file, and the SHA-256 of the file.
    pub fn values(mut self, residency: Residency) -> Result<(Values, String), Hdf5Error> {
        if let Layout::Packed(bytes) = &mut self.layout {
            let bytes = mem::take(bytes);
            let context = self.context();
            if residency == Residency::InFile {
                let copy = context.copy_command();
                let remedy = format!("leave `dataset.hdf5.in_memory` out, or {copy}");
                return Err(context.structure("not stored row by row", "contiguous rows", remedy));
            }
            let values = self.decode(bytes, 0..self.count)?;
            return Ok((values, HashingReader::new(&self.file, context).finish()?));
        }
        if self.stays_in_file(residency)? { self.scan() } else { self.read_all() }
    }

    /// Returns whether the values should stay in the file.
    fn stays_in_file(&self, residency: Residency) -> Result<bool, Hdf5Error> {
        let free = memory::available().unwrap_or(u64::MAX);
        let bytes = (self.count * self.row_bytes()) as u64;
        let needed = (self.count * self.width() * self.encoding.decoded_size()) as u64;
        match residency {
            Residency::Automatic => Ok(needed > free / FREE_SHARE),
            Residency::InFile => Ok(true),
            Residency::InMemory => {
                let remedy = "free memory, or leave `dataset.hdf5.in_memory` out";
                must_fit(&self.context(), bytes, (needed, free), remedy).map(|()| false)
            }
        }
    }

    /// Reads and checks all values without keeping them.
    fn scan(mut self) -> Result<(Values, String), Hdf5Error> {
        let [.., channels] = self.shape;
        let channels = if self.encoding.are_pixels() { channels } else { 0 };
        let mut moments = vec![ChannelMoments::default(); self.count * channels];
        let sha256 = self.read_blocks(|first_row, values| {
            if let Values::Pixels(pixels) = values {
                let images = pixels.chunks_exact(self.width().max(1));
                let moments = moments.chunks_exact_mut(channels.max(1)).skip(first_row);
                moments.zip(images).for_each(|(m, image)| ChannelMoments::add_pixels(m, image));
            }
        })?;
        self.moments = moments;
        Ok((Values::Stored(StoredRows::new(self)), sha256))
    }

    /// Reads all values into memory.
    fn read_all(&self) -> Result<(Values, String), Hdf5Error> {
        let (context, width) = (self.context(), self.width());
        let mut values = if self.encoding.are_pixels() {
            Values::Pixels(zeros(&context, self.count * width)?)
        } else {
            Values::Features(zeros(&context, self.count * width)?)
        };
        let sha256 = self.read_blocks(|first_row, block| match (&mut values, block) {
            (Values::Pixels(all), Values::Pixels(block)) => put(all, first_row * width, &block),
            (Values::Features(all), Values::Features(block)) => put(all, first_row * width, &block),
            _ => {}
        })?;
        Ok((values, sha256))
    }

    /// Calls `visit` with the first row and the values of each block of rows, in the order of the
    /// file. Returns the SHA-256 of the file.
    fn read_blocks(&self, mut visit: impl FnMut(usize, Values)) -> Result<String, Hdf5Error> {
        let mut reader = HashingReader::new(&self.file, self.context());
        let read = |offset, bytes: &mut [u8]| reader.read(offset, bytes);
        self.each_block(read, |first_row, bytes| {
            visit(first_row, self.decode(bytes, first_row..self.count)?);
            Ok(())
        })?;
        reader.finish()
    }

    /// Reads blocks of rows in the order of the file. `visit` receives the first row and the bytes of each.
    fn each_block(
        &self,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<(), Hdf5Error>,
        mut visit: impl FnMut(usize, Vec<u8>) -> Result<(), Hdf5Error>,
    ) -> Result<(), Hdf5Error> {
        let row = self.row_bytes();
        let most = (BLOCK / row.max(1)).max(1);
        let mut chunks = self.chunks();
        chunks.sort_unstable();
        for (offset, first_row, rows) in chunks {
            for start in (0..rows).step_by(most) {
                let mut bytes = vec![0; most.min(rows - start) * row];
                read(offset + (start * row) as u64, &mut bytes)?;
                visit(first_row + start, bytes)?;
            }
        }
        Ok(())
    }

    /// Offset in the file, first row and number of rows of each chunk, in the order of the rows.
    fn chunks(&self) -> Vec<(u64, usize, usize)> {
        let Layout::InFile { rows, offsets } = &self.layout else { return Vec::new() };
        let starts = (0..self.count).step_by((*rows).max(1));
        let chunks = offsets.iter().zip(starts);
        chunks.map(|(&offset, start)| (offset, start, *rows.min(&(self.count - start)))).collect()
    }

    /// Reads the rows at `indices`, in that order. Fails if there is no such row, or the file cannot be
    /// read or has changed.
    fn read_rows(&self, indices: &[usize]) -> Result<Values, Hdf5Error> {
        let (context, row) = (self.context(), self.row_bytes());
        let mut bytes = zeros(&context, indices.len() * row)?;
        for (&index, target) in indices.iter().zip(bytes.chunks_exact_mut(row.max(1))) {
            let offset = self.offset(index);
            let offset = offset.ok_or_else(|| context.damaged(format!("it has no row {index}")))?;
            self.file.read(offset, target)?;
        }
        // Checked last: values read before a change are those that were checked.
        self.file.must_be_unchanged()?;
        self.decode(bytes, indices.iter().copied())
    }

    /// Offset in the file of the row at `index`.
    fn offset(&self, index: usize) -> Option<u64> {
        let Layout::InFile { rows, offsets } = &self.layout else { return None };
        let offset = offsets.get(index.checked_div(*rows)?).filter(|_| index < self.count)?;
        Some(offset + (index % rows * self.row_bytes()) as u64)
    }

    pub fn context(&self) -> ErrorContext<'_> {
        ErrorContext { file: &self.file.path, object: self.object.clone() }
    }

    fn decode(
        &self,
        bytes: Vec<u8>,
        rows: impl Iterator<Item = usize>,
    ) -> Result<Values, Hdf5Error> {
        self.encoding.decode(&self.context(), bytes, (self.shape, self.scale), rows)
    }

    /// Number of values of a row.
    fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of bytes of a row.
    fn row_bytes(&self) -> usize {
        self.width() * self.encoding.number.size
    }
}

impl RowSource for Table {
    fn count(&self) -> usize {
        self.count
    }

    fn holds_pixels(&self) -> bool {
        self.encoding.are_pixels()
    }

    fn read(&self, rows: &[usize]) -> Result<Values, SourceError> {
        Ok(self.read_rows(rows)?)
    }

    fn moments(&self, row: usize) -> Option<&[ChannelMoments]> {
        let [.., channels] = self.shape;
        self.moments.get(row.checked_mul(channels)?..)?.get(..channels)
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
