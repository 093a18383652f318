use std::collections::{BTreeMap, HashMap};

use data::{DatasetError, Examples, SplitKind, Values};
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::part::{ExampleLocation, InspectedPart};
use crate::quality::near_duplicates::NearDuplicateIndex;

/// Two examples that are one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// One; of two parts, that of the later part.
    pub example: ExampleLocation,
    /// The other.
    pub of: ExampleLocation,
    /// How far apart they are, as a share of the median distance between images of their class; 0
    /// if they are equal.
    pub distance: f32,
}

/// All pairs of a data set.
pub struct Pairs {
    pub duplicates: Vec<Pair>,
    pub near_duplicates: Vec<Pair>,
    /// For how many examples of all pairs of parts a twin was looked for, and of how many.
    pub searched: [usize; 2],
}

/// What an example holds.
pub type Sum = [u8; 32];

impl Pair {
    /// The parts of both.
    pub fn parts(&self) -> [SplitKind; 2] {
        [self.example.part, self.of.part]
    }

    /// Whether both have one label.
    pub fn is_of_one_class(&self) -> bool {
        self.example.class == self.of.class
    }
}

/// What the examples of a part are compared by.
struct Prints<'a> {
    part: &'a InspectedPart,
    index: Option<&'a NearDuplicateIndex<'a>>,
    /// One an example.
    sums: Vec<Sum>,
}

/// Finds all pairs within and across `parts`, whose images are in `albums`. Within a part only
/// equal examples are: a training set may well hold a picture in several versions.
pub fn of(
    parts: &[InspectedPart],
    indexes: &[Option<NearDuplicateIndex>],
    classes: &[String],
) -> Result<Pairs, DatasetError> {
    let prints = parts.iter().zip(indexes).map(|(part, index)| {
        Ok(Prints { part, index: index.as_ref(), sums: sums(&part.examples)? })
    });
    let prints: Vec<Prints> = prints.collect::<Result<_, DatasetError>>()?;
    let mut found = Pairs { duplicates: Vec::new(), near_duplicates: Vec::new(), searched: [0; 2] };
    for (number, one) in prints.iter().enumerate() {
        let repeated = one.equal(one).filter(|(item, of)| item != of);
        let repeated =
            repeated.map(|(item, of)| pair((one.part, item), (one.part, of), 0.0, classes));
        found.duplicates.extend(repeated);
        for of in prints.iter().take(number) {
            found.add_near_duplicates(one, of, classes)?;
        }
    }
    Ok(found)
}

impl Pairs {
    /// Adds those of two parts: equal ones, and images of one picture.
    fn add_near_duplicates(
        &mut self,
        one: &Prints,
        of: &Prints,
        classes: &[String],
    ) -> Result<(), DatasetError> {
        let mut near_duplicates = BTreeMap::new();
        let mut searched = one.sums.len();
        if let (Some(index), Some(of)) = (one.index, of.index) {
            let near = of.near_duplicates(index)?;
            searched = near.searched;
            near_duplicates.extend(
                near.pairs
                    .iter()
                    .map(|duplicate| (duplicate.index, (duplicate.of, duplicate.distance))),
            );
        }
        near_duplicates.extend(one.equal(of).map(|(item, of)| (item, (of, 0.0))));
        self.searched = [self.searched[0] + searched, self.searched[1] + one.sums.len()];
        self.near_duplicates.extend(near_duplicates.into_iter().map(
            |(item, (of_item, distance))| {
                pair((one.part, item), (of.part, of_item), distance, classes)
            },
        ));
        Ok(())
    }
}

impl Prints<'_> {
    /// Each example that is equal to one of another part, with the first such.
    fn equal(&self, of: &Self) -> impl Iterator<Item = (usize, usize)> {
        let firsts: HashMap<Sum, usize> =
            of.sums.iter().enumerate().rev().map(|(item, sum)| (*sum, item)).collect();
        let items = self.sums.iter().enumerate();
        items.filter_map(move |(item, sum)| Some((item, *firsts.get(sum)?)))
    }
}

fn pair(
    (part, item): (&InspectedPart, usize),
    (of, of_item): (&InspectedPart, usize),
    distance: f32,
    classes: &[String],
) -> Pair {
    Pair { example: part.location(item, classes), of: of.location(of_item, classes), distance }
}

/// SHA-256 of the values of each example.
pub fn sums(examples: &Examples) -> Result<Vec<Sum>, DatasetError> {
    let mut sums = Vec::with_capacity(examples.len());
    let width = examples.width().max(1);
    examples.each_block(|block| match &block.values {
        Values::Pixels(pixels) => {
            let images = pixels.par_chunks_exact(width);
            sums.append(&mut images.map(|image| Sha256::digest(image).into()).collect());
        }
        Values::Features(features) => {
            sums.extend(features.chunks_exact(width).map(|row| {
                let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
                Sum::from(Sha256::digest(bytes))
            }));
        }
        // Blocks are in memory.
        Values::Stored(_) => {}
    })?;
    Ok(sums)
}
