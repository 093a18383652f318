use data::{ChannelMoments, RowSource, Rows, SourceError};

use super::table::Table;
use crate::error::Hdf5Error;

/// Rows that stay in an HDF5 file.
///
/// The file must not change: reading fails if its length or modification time does.
#[derive(Debug)]
pub struct Hdf5Rows {
    table: Table,
    /// Moments of each row of pixels, one per channel; empty for features.
    moments: Vec<ChannelMoments>,
}

impl Hdf5Rows {
    /// Reads and checks all values of `table` without keeping them, and hashes the file on the way.
    pub fn scan(table: Table) -> Result<(Self, String), Hdf5Error> {
        let [.., channels] = table.shape;
        let channels = if table.encoding.are_pixels() { channels } else { 0 };
        let mut moments = vec![ChannelMoments::default(); table.count * channels];
        let sha256 = table.read_blocks(|first_row, rows| {
            if let Rows::Pixels(pixels) = rows {
                let images = pixels.chunks_exact(table.width().max(1));
                let moments = moments.chunks_exact_mut(channels.max(1)).skip(first_row);
                moments.zip(images).for_each(|(m, image)| ChannelMoments::add_pixels(m, image));
            }
        })?;
        Ok((Self { table, moments }, sha256))
    }
}

impl RowSource for Hdf5Rows {
    fn count(&self) -> usize {
        self.table.count
    }

    fn holds_pixels(&self) -> bool {
        self.table.encoding.are_pixels()
    }

    fn read(&self, rows: &[usize]) -> Result<Rows, SourceError> {
        Ok(self.table.read_rows(rows)?)
    }

    fn moments(&self, row: usize) -> Option<&[ChannelMoments]> {
        let [.., channels] = self.table.shape;
        self.moments.get(row.checked_mul(channels)?..)?.get(..channels)
    }
}
