//! The names of the classes.

use std::collections::HashSet;

use super::Hdf5Error;
use super::error::Site;
use super::object::Object;
use super::values::{MAX_TEXT, Values};

/// The largest number of classes.
pub(super) const MAX_CLASSES: usize = 10_000;

/// The names as text, whether stored as integers or as strings.
pub(super) fn read(names: &Object) -> Result<Vec<String>, Hdf5Error> {
    let classes = match names.values()? {
        Values::Integers(numbers) => numbers.iter().map(i128::to_string).collect(),
        Values::Strings(texts) => texts,
    };
    check(&names.site, &classes)?;
    Ok(classes)
}

/// `"0"` to the largest label, for a file without names.
pub(super) fn from_labels(site: &Site, numbers: &[i128]) -> Result<Vec<String>, Hdf5Error> {
    let largest = numbers.iter().copied().max().unwrap_or(-1);
    match usize::try_from(largest) {
        Ok(largest) if (1..MAX_CLASSES).contains(&largest) => {
            Ok((0..=largest).map(|class| class.to_string()).collect())
        }
        _ => {
            let found = format!("labels up to {largest} without names for them");
            Err(site.content(
                found,
                "labels from 0 to at least 1 and at most 9,999",
                "add the names as `/list_classes`",
            ))
        }
    }
}

/// Accepts 2 to 10,000 names: there is nothing to tell apart in one class.
pub(super) fn check_count(site: &Site, count: usize) -> Result<(), Hdf5Error> {
    match (2..=MAX_CLASSES).contains(&count) {
        true => Ok(()),
        false => {
            let found = format!("a list of {count} names");
            Err(site.structure(found, "2 to 10,000 names", "store one name for each class"))
        }
    }
}

/// Accepts names that are there, distinct and short.
pub(super) fn check(site: &Site, classes: &[String]) -> Result<(), Hdf5Error> {
    let mut seen = HashSet::new();
    for (index, name) in classes.iter().enumerate() {
        let expected = match () {
            () if name.is_empty() || name.ends_with(' ') => {
                "a name that neither is nor ends in blank"
            }
            () if name.len() > MAX_TEXT || name.contains('\0') => {
                "at most 256 bytes without a zero byte"
            }
            () if !seen.insert(name) => "a different name for each class",
            () => continue,
        };
        let found = format!("class name {name:?} at index {index}");
        return Err(site.content(found, expected, "correct the names of the classes"));
    }
    Ok(())
}
