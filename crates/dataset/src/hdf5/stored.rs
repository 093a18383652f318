//! The values of examples where they lie in their file: read whole, or row by row as they are
//! wanted. libhdf5 has no part in it.

mod form;
mod pass;
mod place;
mod steady;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::demand::must_fit;
use super::error::Site;
use super::raw::reserve;
use super::{Hdf5Error, Keep};
use crate::examples::Values;
use crate::memory;
use crate::statistics::{self, Moments};
use pass::Pass;

pub(super) use form::Form;
pub(super) use place::{Layout, Place, Segment};
pub(super) use steady::Steady;

/// Rows of a file as values, in any order.
///
/// The file must stay as it is: whoever reads rows is told if its length or the time of its last
/// change is another one.
#[derive(Debug, Clone)]
pub struct Stored {
    table: Arc<Table>,
    /// Of each row of pixels, one for each channel.
    moments: Arc<[Moments]>,
    /// None for all rows in the order of the file.
    rows: Option<Arc<[u32]>>,
}

/// All values of a file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) file: Steady,
    /// The name of the data set.
    pub(super) object: String,
    pub(super) form: Form,
    /// The values of a row, and how many of them are the channels of a pixel.
    pub(super) width: usize,
    pub(super) channels: usize,
    /// The number of rows.
    pub(super) count: usize,
    /// In the order of the rows.
    pub(super) segments: Vec<Segment>,
}

/// The bytes that are read at once where all are.
const BLOCK: usize = 1 << 18;

/// What is kept in memory takes at most this part of what is free.
const SHARE: u64 = 4;

const NO_ROOM: &str = "free memory, or leave `dataset.hdf5.in_memory` out";

impl Table {
    /// Whether the values are to stay in the file.
    pub(super) fn stays_in_file(&self, keep: Keep) -> Result<bool, Hdf5Error> {
        let free = memory::available().unwrap_or(u64::MAX);
        let bytes = (self.count * self.row()) as u64;
        // Floats are decoded into others.
        let numbers = if self.form == Form::Pixel { 0 } else { self.count * self.width * 4 };
        let needed = bytes + numbers as u64;
        match keep {
            Keep::Automatic => Ok(needed > free / SHARE),
            Keep::InFile => Ok(true),
            Keep::InMemory => {
                must_fit(&self.site(), bytes, (needed, free), NO_ROOM).map(|()| false)
            }
        }
    }

    /// The values that `bytes` are, and the sum of the file.
    pub(super) fn unpack(&self, bytes: Vec<u8>) -> Result<(Values, String), Hdf5Error> {
        let values = self.form.values(&self.site(), bytes, self.width, 0..self.count)?;
        Ok((values, Pass::new(&self.file, &self.object).finish()?))
    }

    /// Reads all values into memory, and sums up the file on the way.
    pub(super) fn read(&self) -> Result<(Values, String), Hdf5Error> {
        let (site, row) = (self.site(), self.row());
        let mut bytes = reserve(&site, self.count * row)?;
        bytes.resize(self.count * row, 0);
        let mut pass = Pass::new(&self.file, &self.object);
        for segment in self.in_file_order() {
            let target = bytes.get_mut(segment.row * row..(segment.row + segment.rows) * row);
            pass.read(segment.offset, target.unwrap_or_default())?;
        }
        let sha256 = pass.finish()?;
        Ok((self.form.values(&site, bytes, self.width, 0..self.count)?, sha256))
    }

    /// Reads and checks all values without keeping them, and sums up the file on the way.
    pub(super) fn keep_in_file(self) -> Result<(Values, String), Hdf5Error> {
        let (site, row) = (self.site(), self.row());
        let mut pass = Pass::new(&self.file, &self.object);
        let pixels = if self.form == Form::Pixel { self.count * self.channels } else { 0 };
        let mut moments = vec![Moments::default(); pixels];
        let mut bytes = Vec::new();
        let segments = self.in_file_order().into_iter();
        for piece in segments.flat_map(|segment| segment.pieces(BLOCK / row.max(1), row)) {
            bytes.resize(piece.rows * row, 0);
            pass.read(piece.offset, &mut bytes)?;
            let rows = piece.row..piece.row + piece.rows;
            bytes = match self.form.values(&site, bytes, self.width, rows)? {
                Values::Pixels(bytes) => {
                    let moments = moments.chunks_exact_mut(self.channels).skip(piece.row);
                    let images = moments.zip(bytes.chunks_exact(row));
                    images.for_each(|(moments, image)| statistics::add(image, moments));
                    bytes
                }
                _ => Vec::new(),
            };
        }
        let sha256 = pass.finish()?;
        let stored = Stored { table: Arc::new(self), moments: moments.into(), rows: None };
        Ok((Values::Stored(stored), sha256))
    }

    fn in_file_order(&self) -> Vec<Segment> {
        let mut segments = self.segments.clone();
        segments.sort_unstable_by_key(|segment| segment.offset);
        segments
    }

    /// The bytes of a row.
    fn row(&self) -> usize {
        self.width * self.form.size()
    }

    /// Where the row at `index` lies in the file.
    fn offset(&self, index: usize) -> Option<u64> {
        let after = self.segments.partition_point(|segment| segment.row <= index);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let within = index - segment.row;
        (within < segment.rows).then(|| segment.offset + (within * self.row()) as u64)
    }

    fn site(&self) -> Site<'_> {
        Site { file: self.file.path(), object: self.object.clone() }
    }
}

impl Stored {
    /// Whether the values are pixels.
    pub(crate) fn are_pixels(&self) -> bool {
        self.table.form == Form::Pixel
    }

    /// The rows at `indices` of these, without reading them. Those that there are not are left out.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let rows = indices.iter().filter_map(|&index| self.row(index)).collect();
        Self { rows: Some(rows), ..self.clone() }
    }

    /// The moments of all pixels of the first `count` of these, one for each channel.
    pub(crate) fn moments(&self, count: usize) -> Vec<Moments> {
        let channels = self.table.channels;
        let mut all = vec![Moments::default(); channels];
        for row in (0..count).filter_map(|index| self.row(index)) {
            let moments = self.moments.iter().skip(row as usize * channels);
            all.iter_mut().zip(moments).for_each(|(all, one)| all.add(*one));
        }
        all
    }

    /// Reads the rows at `indices` of these.
    ///
    /// # Errors
    ///
    /// If there is no such row, or the file cannot be read or is no longer what it was.
    pub(crate) fn read(&self, indices: &[usize]) -> Result<Values, Hdf5Error> {
        let (table, site, row) = (&self.table, self.table.site(), self.table.row());
        let mut bytes = reserve(&site, indices.len() * row)?;
        bytes.resize(indices.len() * row, 0);
        for (&index, target) in indices.iter().zip(bytes.chunks_exact_mut(row.max(1))) {
            let offset = self.row(index).and_then(|row| table.offset(row as usize));
            let offset = offset.ok_or_else(|| site.damaged(format!("it has no row {index}")))?;
            table.file.read(offset, target)?;
        }
        // Asked last: what was read before a change is what was checked.
        table.file.must_be_unchanged()?;
        let rows = indices.iter().map(|&index| self.row(index).unwrap_or_default() as usize);
        table.form.values(&site, bytes, table.width, rows)
    }

    /// The row of the file at `index` of these.
    fn row(&self, index: usize) -> Option<u32> {
        match &self.rows {
            Some(rows) => rows.get(index).copied(),
            None => u32::try_from(index).ok(),
        }
    }
}

/// The same rows of one file that was opened once.
impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.table, &other.table) && self.rows == other.rows
    }
}
