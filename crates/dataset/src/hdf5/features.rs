//! Features: floats of the file to numbers that f32 can hold.

use super::Hdf5Error;
use super::error::Site;
use super::values::integer;

/// The largest number of features of an example.
pub(super) const MAX_WIDTH: usize = 4096;

/// Appends to `features` those of the row at `row`, floats of so many bytes in this order.
pub(super) fn append(
    site: &Site,
    row: usize,
    bytes: &[u8],
    (size, big_endian): (usize, bool),
    features: &mut Vec<f32>,
) -> Result<(), Hdf5Error> {
    let width = bytes.len() / size.max(1);
    for (column, bytes) in bytes.chunks_exact(size.max(1)).enumerate() {
        features.push(narrow(site, row * width + column, width, float(bytes, big_endian))?);
    }
    Ok(())
}

/// The number as f32; `index` counts through all examples of `width` features each.
pub(super) fn narrow(
    site: &Site,
    index: usize,
    width: usize,
    number: f64,
) -> Result<f32, Hdf5Error> {
    let narrow = number as f32;
    if narrow.is_finite() {
        return Ok(narrow);
    }
    let (row, column) = (index / width.max(1), index % width.max(1));
    let found = format!("{number:?} at index [{row}, {column}]");
    let remedy = "leave the example out, or put a number in its place";
    Err(site.content(found, "numbers from -3.4e38 to 3.4e38, the range of float32", remedy))
}

/// IEEE 754, of 4 or 8 bytes.
fn float(bytes: &[u8], big_endian: bool) -> f64 {
    let bits = integer(bytes, false, big_endian);
    match bytes.len() {
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits as u64),
    }
}
