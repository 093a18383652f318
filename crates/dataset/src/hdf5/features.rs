//! Features: floats of the file to numbers that f32 can hold.

use super::Hdf5Error;
use super::error::Site;
use super::object::Object;
use super::raw::reserve;
use super::values::integer;

/// The largest number of features of an example.
pub(super) const MAX_WIDTH: usize = 4096;

/// All features, of a data set of floats `[n, width]`.
pub(super) fn read(object: &Object, width: usize, big_endian: bool) -> Result<Vec<f32>, Hdf5Error> {
    let bytes = object.bytes()?;
    let size = object.element.size().max(1);
    let mut features = reserve(&object.site, bytes.len() / size)?;
    for (index, bytes) in bytes.chunks_exact(size).enumerate() {
        features.push(narrow(&object.site, index, width, float(bytes, big_endian))?);
    }
    Ok(features)
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
