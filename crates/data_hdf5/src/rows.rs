//! Values of examples in a file, read as a whole or row by row, without libhdf5.

mod encoding;
mod hashing_reader;
mod hdf5_rows;
mod layout;
mod pixel_scale;
mod table;
#[cfg(test)]
mod tests;
mod unchanged_file;

pub use encoding::{AxisOrder, Content, Encoding};
pub use hdf5_rows::Hdf5Rows;
pub use layout::{Layout, RowsLocation};
pub use pixel_scale::{PixelScale, ValueRange};
pub use table::Table;
pub use unchanged_file::UnchangedFile;
