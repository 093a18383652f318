use std::collections::{BTreeMap, HashMap};

use data::{DatasetError, SplitKind};
use serde::Serialize;

use super::inspected_split::{ExampleLocation, InspectedSplit};
use crate::quality::content::{ContentKey, checksums};
use crate::quality::near_duplicates::NearDuplicateIndex;

/// Two equal or near-duplicate examples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuplicatePair {
    /// One example; across splits, that of the later split.
    pub example: ExampleLocation,
    /// The other example.
    pub of: ExampleLocation,
    /// Distance as a fraction of the median distance between images of the data set; 0 if they are
    /// equal.
    pub distance: f32,
}

/// All pairs of a data set.
#[derive(Default)]
pub struct Pairs {
    pub duplicates: Vec<DuplicatePair>,
    pub near_duplicates: Vec<DuplicatePair>,
}

impl DuplicatePair {
    /// Splits of both examples.
    pub fn parts(&self) -> [SplitKind; 2] {
        [self.example.part, self.of.part]
    }

    /// Returns true if both examples have the same label.
    pub fn labels_agree(&self) -> bool {
        self.example.class == self.of.class
    }
}

/// A split with the data for comparing its examples.
struct ComparedSplit<'a> {
    part: &'a InspectedSplit,
    index: Option<&'a NearDuplicateIndex<'a>>,
    /// Checksum of each example.
    checksums: Vec<ContentKey>,
}

/// Finds equal examples within `parts`, and equal and near-duplicate ones across them. Near-duplicates
/// within a split are not reported: a training set may contain several versions of an image.
pub fn of(
    parts: &[InspectedSplit],
    indexes: &[Option<NearDuplicateIndex>],
    classes: &[String],
) -> Result<Pairs, DatasetError> {
    let splits = parts.iter().zip(indexes).map(|(part, index)| {
        let checksums = checksums(&part.examples)?;
        Ok(ComparedSplit { part, index: index.as_ref(), checksums })
    });
    let splits: Vec<ComparedSplit> = splits.collect::<Result<_, DatasetError>>()?;
    let mut found = Pairs::default();
    for (number, one) in splits.iter().enumerate() {
        let repeated = one.equal(one).filter(|(item, of)| item != of);
        let repeated =
            repeated.map(|(item, of)| pair((one.part, item), (one.part, of), 0.0, classes));
        found.duplicates.extend(repeated);
        for of in splits.iter().take(number) {
            found.add_near_duplicates(one, of, classes)?;
        }
    }
    Ok(found)
}

impl Pairs {
    /// Adds the equal and near-duplicate examples of two splits.
    fn add_near_duplicates(
        &mut self,
        one: &ComparedSplit,
        of: &ComparedSplit,
        classes: &[String],
    ) -> Result<(), DatasetError> {
        let mut near_duplicates = BTreeMap::new();
        if let (Some(index), Some(of)) = (one.index, of.index) {
            let pairs = of.near_duplicates(index)?.into_iter();
            near_duplicates.extend(pairs.map(|pair| (pair.index, (pair.of, pair.distance))));
        }
        near_duplicates.extend(one.equal(of).map(|(item, of)| (item, (of, 0.0))));
        for (item, (of_item, distance)) in near_duplicates {
            let found = pair((one.part, item), (of.part, of_item), distance, classes);
            self.near_duplicates.push(found);
        }
        Ok(())
    }
}

impl ComparedSplit<'_> {
    /// Pairs of each example and the first example of `of` that is equal to it, if any.
    fn equal(&self, of: &Self) -> impl Iterator<Item = (usize, usize)> {
        let firsts: HashMap<ContentKey, usize> =
            of.checksums.iter().enumerate().rev().map(|(item, sum)| (*sum, item)).collect();
        let items = self.checksums.iter().enumerate();
        items.filter_map(move |(item, sum)| Some((item, *firsts.get(sum)?)))
    }
}

fn pair(
    (part, item): (&InspectedSplit, usize),
    (of, of_item): (&InspectedSplit, usize),
    distance: f32,
    classes: &[String],
) -> DuplicatePair {
    DuplicatePair {
        example: part.location(item, classes),
        of: of.location(of_item, classes),
        distance,
    }
}
