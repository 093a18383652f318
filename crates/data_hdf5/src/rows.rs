//! Values of examples in a file, read as a whole or row by row, without libhdf5.

mod encoding;
mod table;
#[cfg(test)]
mod tests;
mod unchanged_file;

pub use encoding::{AxisOrder, Encoding, PixelScale, ValueRange, out_of_range};
pub use table::{Layout, Table};
