//! Features: floats of the file as f32.

use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::number::Number;

/// Decodes the row at `row` and appends it to `features`.
pub fn append(
    context: &ErrorContext,
    row: usize,
    bytes: &[u8],
    number: Number,
    features: &mut Vec<f32>,
) -> Result<(), Hdf5Error> {
    let width = bytes.len() / number.size();
    let (mut index, mut valid) = (row * width, Ok(()));
    number.for_each(bytes, |number| {
        match narrow(context, index, width, number) {
            Ok(feature) => features.push(feature),
            Err(error) if valid.is_ok() => valid = Err(error),
            Err(_) => {}
        }
        index += 1;
    });
    valid
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
