use std::collections::{BTreeMap, HashMap};

use data::{DatasetError, SplitKind};
use serde::Serialize;

use super::{ExampleLocation, InspectedSplit};
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

/// Finds equal examples within each of `parts`, and equal and near-duplicate ones across them. Near-duplicates
/// within a split are not reported: a training set may contain several versions of an image.
pub fn of(
    parts: &[InspectedSplit],
    indexes: &[Option<NearDuplicateIndex>],
    classes: &[String],
) -> Result<(Vec<DuplicatePair>, Vec<DuplicatePair>), DatasetError> {
    let sums = parts.iter().map(|part| checksums(&part.examples));
    let sums: Vec<Vec<ContentKey>> = sums.collect::<Result<_, _>>()?;
    let splits: Vec<_> = parts.iter().zip(&sums).zip(indexes).collect();
    let (mut duplicates, mut near_duplicates) = (Vec::new(), Vec::new());
    for (number, ((part, sums), index)) in splits.iter().enumerate() {
        let pair = |item, of: &InspectedSplit, of_item, distance| {
            let (example, of) = (part.location(item, classes), of.location(of_item, classes));
            DuplicatePair { example, of, distance }
        };
        let repeated = equal(sums, sums).filter(|(item, first)| item != first);
        duplicates.extend(repeated.map(|(item, first)| pair(item, part, first, 0.0)));
        for ((of, of_sums), of_index) in splits.iter().take(number) {
            let mut found = BTreeMap::new();
            if let (Some(index), Some(of_index)) = (index, of_index) {
                let pairs = of_index.near_duplicates(index)?.into_iter();
                found.extend(pairs.map(|pair| (pair.index, (pair.of, pair.distance))));
            }
            found.extend(equal(sums, of_sums).map(|(item, first)| (item, (first, 0.0))));
            let found = found.into_iter();
            near_duplicates
                .extend(found.map(|(item, (near, distance))| pair(item, of, near, distance)));
        }
    }
    Ok((duplicates, near_duplicates))
}

/// Pairs of each example and the first of `others` that is equal to it, if any, by their checksums.
fn equal(sums: &[ContentKey], others: &[ContentKey]) -> impl Iterator<Item = (usize, usize)> {
    let firsts = others.iter().enumerate().rev().map(|(item, sum)| (*sum, item));
    let firsts: HashMap<ContentKey, usize> = firsts.collect();
    let items = sums.iter().enumerate();
    items.filter_map(move |(item, sum)| Some((item, *firsts.get(sum)?)))
}
