//! Labels: one number an example, each an index into the classes.

use super::Hdf5Error;
use super::error::Site;
use super::object::Object;
use super::values::Values;

/// The labels as numbers, whether stored as integers or as strings of digits.
pub(super) fn numbers(labels: &Object) -> Result<Vec<i128>, Hdf5Error> {
    match labels.values()? {
        Values::Integers(numbers) => Ok(numbers),
        Values::Strings(texts) => {
            let numbers =
                texts.iter().enumerate().map(|(index, text)| digits(&labels.site, index, text));
            numbers.collect()
        }
    }
}

/// The labels as indices below `classes`.
pub(super) fn indices(
    site: &Site,
    numbers: &[i128],
    classes: usize,
) -> Result<Vec<u32>, Hdf5Error> {
    let index = |(index, &number): (usize, &i128)| {
        let label = u32::try_from(number).ok().filter(|&label| (label as usize) < classes);
        label.ok_or_else(|| {
            let found = format!("label {number} at index {index}");
            let expected = format!("0 to {} for {classes} classes", classes.saturating_sub(1));
            site.content(
                found,
                expected,
                "number the classes from 0 in the order of `/list_classes`",
            )
        })
    };
    numbers.iter().enumerate().map(index).collect()
}

fn digits(site: &Site, index: usize, text: &str) -> Result<i128, Hdf5Error> {
    let number = text.parse::<u32>().map(i128::from);
    number.map_err(|_| {
        let found = format!("label {text:?} at index {index}");
        site.content(found, "a number of digits", "store the labels as integers, for example int64")
    })
}
