//! Labels: the class index of each example.

use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::object::Object;
use crate::values::Values;

/// Reads labels stored as integers or as strings of digits.
pub fn numbers(labels: &Object) -> Result<Vec<i128>, Hdf5Error> {
    match labels.values()? {
        Values::Integers(numbers) => Ok(numbers),
        Values::Strings(texts) => {
            let numbers =
                texts.iter().enumerate().map(|(index, text)| digits(&labels.context, index, text));
            numbers.collect()
        }
    }
}

/// Converts labels to class indices below `classes`.
pub fn indices(
    context: &ErrorContext,
    numbers: &[i128],
    classes: usize,
) -> Result<Vec<u32>, Hdf5Error> {
    let index = |(index, &number): (usize, &i128)| {
        let label = u32::try_from(number).ok().filter(|&label| (label as usize) < classes);
        label.ok_or_else(|| {
            let found = format!("label {number} at index {index}");
            let expected = format!("0 to {} for {classes} classes", classes.saturating_sub(1));
            context.content(
                found,
                expected,
                "number the classes from 0 in the order of `/list_classes`",
            )
        })
    };
    numbers.iter().enumerate().map(index).collect()
}

fn digits(context: &ErrorContext, index: usize, text: &str) -> Result<i128, Hdf5Error> {
    let number = text.parse::<u32>().map(i128::from);
    number.map_err(|_| {
        let found = format!("label {text:?} at index {index}");
        context.content(
            found,
            "a number of digits",
            "store the labels as integers, for example int64",
        )
    })
}
