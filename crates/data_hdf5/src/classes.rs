//! Classes: their names, and the class of each label.

use std::collections::{BTreeSet, HashMap, HashSet};

use data::SplitKind;
use serde::{Deserialize, Serialize};

use crate::element::Element;
use crate::error::{ErrorContext, Hdf5Error, shortened};
use crate::labels;
use crate::object::{MAX_TEXT, Object, Values};

/// Maximum number of classes.
pub const MAX_CLASSES: usize = 10_000;

/// Origin of the class names of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassNames {
    /// The file lists them.
    Listed,
    /// The file has no list: the classes are `0`, `1` .. up to the largest label.
    Numbered,
    /// The labels are names, and these are the different ones, sorted.
    Labels,
}

/// Minimum number of classes of a data set.
pub const LEAST: usize = 2;

/// Minimum number of classes of a part. Other parts may lack classes of the training set.
pub const fn least(split: SplitKind) -> usize {
    match split {
        SplitKind::Train => LEAST,
        SplitKind::Validation | SplitKind::Test => 1,
    }
}

/// Names of the classes, their origin, and the class of each of the `labels`. `list` are the names that the
/// file lists. A label has a place for `room` classes, or the labels tell their number.
pub fn of(
    context: &ErrorContext,
    labels: &Values,
    list: Option<Vec<String>>,
    (least, room): (usize, usize),
) -> Result<(Vec<String>, ClassNames, Vec<u32>), Hdf5Error> {
    let (names, origin) = match (list, labels) {
        (Some(names), _) => (names, ClassNames::Listed),
        (None, Values::Numbers(numbers)) => {
            (numbered(context, numbers, (least, room))?, ClassNames::Numbered)
        }
        (None, Values::Strings(texts)) => {
            let names = sorted(texts);
            check(context, &names, least)?;
            (names, ClassNames::Labels)
        }
    };
    let labels = match labels {
        Values::Numbers(numbers) => labels::indices(context, numbers, names.len())?,
        Values::Strings(texts) if origin == ClassNames::Labels => {
            by_name(texts, &names).unwrap_or_default()
        }
        Values::Strings(texts) => listed(context, texts, &names)?,
    };
    Ok((names, origin, labels))
}

/// Fails unless a list has integers or strings, as many as there may be classes.
pub fn check_list(names: &Object, least: usize) -> Result<(), Hdf5Error> {
    check_count(&names.context, names.count(), least)?;
    match names.element {
        Element::Fixed(_) | Element::Variable => Ok(()),
        Element::Number(number) if !number.is_float() => Ok(()),
        Element::Number(_) | Element::Other(_) => {
            let remedy = "convert it, for example to int64";
            Err(names.context.structure(names.element, "integers or strings", remedy))
        }
    }
}

/// Reads names stored as integers or as strings.
pub fn read(names: &Object, least: usize) -> Result<Vec<String>, Hdf5Error> {
    let classes = match names.values()? {
        Values::Numbers(numbers) => numbers.iter().map(i128::to_string).collect(),
        Values::Strings(texts) => texts,
    };
    check(&names.context, &classes, least)?;
    Ok(classes)
}

/// Names the classes `"0"`, `"1"` .. up to the largest label, for a file without names.
fn numbered(
    context: &ErrorContext,
    numbers: &[i128],
    (least, room): (usize, usize),
) -> Result<Vec<String>, Hdf5Error> {
    let largest = numbers.iter().copied().max().unwrap_or(-1);
    let count = usize::try_from(largest + 1).unwrap_or(0).max(room);
    if (least..=MAX_CLASSES).contains(&count) {
        return Ok((0..count).map(|class| class.to_string()).collect());
    }
    let found = format!("labels up to {largest} without names for them");
    let expected = format!("labels from 0 to at least {} and at most 9,999", least - 1);
    let remedy = if count < least {
        "add the names as `/list_classes`, or data of another class".to_owned()
    } else {
        context.replace_command("np.unique(x, return_inverse=True)[1]")
    };
    Err(context.content(found, expected, remedy))
}

/// The different names: in numerical order if all are integers, otherwise in that of their letters.
fn sorted(texts: &[String]) -> Vec<String> {
    let names: BTreeSet<_> = texts.iter().collect();
    let mut names: Vec<_> = names.into_iter().cloned().collect();
    let number = |name: &String| name.parse::<i64>().ok();
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(number);
    }
    names
}

/// Index in `names` of each label; `None` if one is missing there.
fn by_name(texts: &[String], names: &[String]) -> Option<Vec<u32>> {
    let indices: HashMap<_, _> = names.iter().zip(0_u32..).collect();
    texts.iter().map(|text| indices.get(text).copied()).collect()
}

/// Class of each label among those that the file lists: labels are names, or indices in digits.
fn listed(
    context: &ErrorContext,
    texts: &[String],
    names: &[String],
) -> Result<Vec<u32>, Hdf5Error> {
    let digits = |text: &String| text.parse().ok().filter(|&label| (label as usize) < names.len());
    let by_index: Option<Vec<u32>> = texts.iter().map(digits).collect();
    match (by_name(texts, names), by_index) {
        (Some(by_name), Some(by_index)) if by_name != by_index => {
            let (found, expected) = ("labels in digits", "either names of classes or indices");
            let remedy = "the names of the classes are digits too, in another order; store the \
                          labels as integers, the indices of the classes";
            Err(context.content(found, expected, remedy))
        }
        (Some(labels), _) | (None, Some(labels)) => Ok(labels),
        (None, None) => {
            let mut labels = texts.iter().enumerate();
            let unknown = labels.find(|(_, text)| !names.contains(text));
            let found = unknown.map(|(index, text)| format!("label {text:?} at index {index}"));
            let first: Vec<_> = names.iter().take(8).map(|name| shortened(name)).collect();
            let more = if names.len() > first.len() { ", .." } else { "" };
            let first = first.join(", ") + more;
            let expected = format!("one of the {} listed classes: {first}", names.len());
            let remedy = "add it to the list of classes, or correct the label";
            Err(context.content(found.unwrap_or_default(), expected, remedy))
        }
    }
}

/// Accepts `least` to 10,000 names.
fn check_count(context: &ErrorContext, count: usize, least: usize) -> Result<(), Hdf5Error> {
    if (least..=MAX_CLASSES).contains(&count) {
        Ok(())
    } else {
        let (found, expected) =
            (format!("a list of {count} names"), format!("{least} to 10,000 names"));
        Err(context.structure(found, expected, "store one name for each class"))
    }
}

/// Accepts `least` to 10,000 names that are not empty, distinct and short.
pub fn check(context: &ErrorContext, classes: &[String], least: usize) -> Result<(), Hdf5Error> {
    check_count(context, classes.len(), least)?;
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
