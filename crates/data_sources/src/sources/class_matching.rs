//! Classes of a validation or test set, matched with those of the training set.

use std::collections::{BTreeMap, HashMap};

use data_hdf5::{ClassNames, Hdf5File};

/// Class of a validation or test set that the training set lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownClass {
    /// Its name.
    pub name: String,
    /// Number of its examples.
    pub count: usize,
}

/// Replaces labels and classes of `other` by those of `train`. Classes have the same name, or the same
/// number if one of the files names none. Returns the classes that `train` lacks.
pub fn match_classes(train: &Hdf5File, other: &mut Hdf5File) -> Result<(), Vec<UnknownClass>> {
    let indices = indices(train, other);
    let unknown = unknown(&indices, other);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let labels = &mut other.examples.labels;
    labels.iter_mut().for_each(|label| {
        *label = indices.get(*label as usize).copied().flatten().unwrap_or(*label);
    });
    other.classes.clone_from(&train.classes);
    Ok(())
}

/// Index in `train` of each class of `other`.
fn indices(train: &Hdf5File, other: &Hdf5File) -> Vec<Option<u32>> {
    let by_number = matches!(
        (train.class_names, other.class_names),
        (ClassNames::Numbered | ClassNames::Listed, ClassNames::Numbered)
            | (ClassNames::Numbered, ClassNames::Listed)
    );
    let known: HashMap<_, _> = train.classes.iter().zip(0_u32..).collect();
    let numbers = (0_u32..).map(|number| Some(number).filter(|&n| (n as usize) < known.len()));
    let classes = other.classes.iter().zip(numbers);
    let index = |(name, number)| if by_number { number } else { known.get(name).copied() };
    classes.map(index).collect()
}

/// Classes without an index that have examples.
fn unknown(indices: &[Option<u32>], other: &Hdf5File) -> Vec<UnknownClass> {
    let mut counts = BTreeMap::new();
    for &label in &other.examples.labels {
        if indices.get(label as usize).copied().flatten().is_none() {
            *counts.entry(label).or_insert(0) += 1;
        }
    }
    let unknown = counts.into_iter().map(|(label, count)| {
        let name = other.classes.get(label as usize).cloned().unwrap_or_default();
        UnknownClass { name, count }
    });
    unknown.collect()
}
