//! Features: floats of the file as f32.

use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::number::integer;

/// Maximum number of features of an example.
pub const MAX_WIDTH: usize = 4096;

/// Decodes the row at `row`, floats of the given size and byte order, and appends it to `features`.
pub fn append(
    context: &ErrorContext,
    row: usize,
    bytes: &[u8],
    (size, big_endian): (usize, bool),
    features: &mut Vec<f32>,
) -> Result<(), Hdf5Error> {
    let width = bytes.len() / size.max(1);
    for (column, bytes) in bytes.chunks_exact(size.max(1)).enumerate() {
        features.push(narrow(context, row * width + column, width, float(bytes, big_endian))?);
    }
    Ok(())
}

/// Converts a number to f32; `index` counts the values of all examples of `width` features.
pub fn narrow(
    context: &ErrorContext,
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
    let remedy = "remove the example, or replace the value by a finite number";
    Err(context.content(found, "numbers from -3.4e38 to 3.4e38, the range of float32", remedy))
}

/// Decodes an IEEE 754 number of 4 or 8 bytes.
fn float(bytes: &[u8], big_endian: bool) -> f64 {
    let bits = integer(bytes, false, big_endian);
    match bytes.len() {
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits as u64),
    }
}
