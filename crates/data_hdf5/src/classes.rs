//! Class names.

use std::collections::HashSet;

use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::object::Object;
use crate::values::{MAX_TEXT, Values};

/// Maximum number of classes.
pub const MAX_CLASSES: usize = 10_000;

/// Reads names stored as integers or as strings.
pub fn read(names: &Object) -> Result<Vec<String>, Hdf5Error> {
    let classes = match names.values()? {
        Values::Integers(numbers) => numbers.iter().map(i128::to_string).collect(),
        Values::Strings(texts) => texts,
    };
    check(&names.context, &classes)?;
    Ok(classes)
}

/// Names the classes `"0"`, `"1"` .. up to the largest label, for a file without names.
pub fn from_labels(context: &ErrorContext, numbers: &[i128]) -> Result<Vec<String>, Hdf5Error> {
    let largest = numbers.iter().copied().max().unwrap_or(-1);
    match usize::try_from(largest) {
        Ok(largest) if (1..MAX_CLASSES).contains(&largest) => {
            Ok((0..=largest).map(|class| class.to_string()).collect())
        }
        _ => {
            let found = format!("labels up to {largest} without names for them");
            Err(context.content(
                found,
                "labels from 0 to at least 1 and at most 9,999",
                "add the names as `/list_classes`",
            ))
        }
    }
}

/// Accepts 2 to 10,000 names.
pub fn check_count(context: &ErrorContext, count: usize) -> Result<(), Hdf5Error> {
    if (2..=MAX_CLASSES).contains(&count) {
        Ok(())
    } else {
        let found = format!("a list of {count} names");
        Err(context.structure(found, "2 to 10,000 names", "store one name for each class"))
    }
}

/// Accepts names that are not empty, distinct and short.
pub fn check(context: &ErrorContext, classes: &[String]) -> Result<(), Hdf5Error> {
    let mut seen = HashSet::new();
    for (index, name) in classes.iter().enumerate() {
        let expected = match () {
            () if name.is_empty() || name.ends_with(' ') => {
                "a name that is not blank and does not end in a blank"
            }
            () if name.len() > MAX_TEXT || name.contains('\0') => {
                "at most 256 bytes without a zero byte"
            }
            () if !seen.insert(name) => "a different name for each class",
            () => continue,
        };
        let found = format!("class name {name:?} at index {index}");
        return Err(context.content(found, expected, "correct the names of the classes"));
    }
    Ok(())
}
