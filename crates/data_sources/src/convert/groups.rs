use std::collections::HashMap;

use data::{DatasetError, Examples, SplitKind};
use rayon::prelude::*;
use serde::Serialize;

use super::error::ConvertError;
use super::progress::{ProgressCallback, report_progress};
use crate::quality::inspection::sums;
use crate::quality::near_duplicates::NearDuplicateIndex;

/// Which examples are one, and belong into one part.
#[derive(Debug)]
pub struct Groups {
    /// The examples of each group, ascending; the groups in the order of their first.
    pub members: Vec<Vec<usize>>,
    /// For how many examples a twin was looked for.
    searched: usize,
}

/// What was kept together in one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateGroups {
    /// The number of groups of two or more.
    pub groups: usize,
    /// The number of examples in them.
    pub examples: usize,
    /// The number of examples in the largest.
    pub largest: usize,
    /// For how many examples a twin was looked for, and of how many.
    pub searched: [usize; 2],
    /// Classes that a part has none of, since their groups are larger than the share.
    pub missing_classes: Vec<MissingClass>,
}

/// A part without examples of a class that it should have had some of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingClass {
    /// The part.
    pub part: SplitKind,
    /// The name of the class.
    pub class: String,
}

/// For so many images twins are looked for before it is asked whether to go on.
const BLOCK: usize = 1024;

impl Groups {
    /// Each example on its own.
    pub fn single(count: usize) -> Self {
        Self { members: (0..count).map(|item| vec![item]).collect(), searched: 0 }
    }

    /// Equal examples and twins together, and the twins of twins.
    pub fn of_near_duplicates(
        examples: &Examples,
        progress: &mut ProgressCallback,
    ) -> Result<Self, ConvertError> {
        let mut forest = Forest((0..examples.len()).collect());
        let mut firsts = HashMap::new();
        for (item, sum) in sums(examples)?.into_iter().enumerate() {
            forest.join(*firsts.entry(sum).or_insert(item), item);
        }
        let mut searched = examples.len();
        if let Some(index) = NearDuplicateIndex::of(examples)? {
            let places = index.places();
            searched = places.len();
            for (number, block) in places.chunks(BLOCK).enumerate() {
                report_progress(progress, "looking for twins", number * BLOCK, searched)?;
                let near_duplicates =
                    block.par_iter().map(|&item| Ok((item, index.near_duplicates_of(item)?)));
                let near_duplicates: Vec<_> =
                    near_duplicates.collect::<Result<_, DatasetError>>()?;
                for (item, near_duplicates) in near_duplicates {
                    near_duplicates.into_iter().for_each(|duplicate| forest.join(item, duplicate));
                }
            }
        }
        Ok(Self { members: forest.groups(), searched })
    }

    /// What is told of them.
    pub fn duplicate_groups(&self, count: usize) -> DuplicateGroups {
        let sizes = self.members.iter().map(Vec::len).filter(|&size| size > 1);
        DuplicateGroups {
            groups: sizes.clone().count(),
            examples: sizes.clone().sum(),
            largest: sizes.max().unwrap_or(0),
            searched: [self.searched, count],
            missing_classes: Vec::new(),
        }
    }
}

/// Disjoint sets: for each item another one of its set that comes before it, or itself.
struct Forest(Vec<usize>);

impl Forest {
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        if let Some(parent) = self.0.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }

    /// The first of the set of `item`; the way there is shortened.
    fn first(&mut self, mut item: usize) -> usize {
        while let Some(&parent) = self.0.get(item).filter(|&&parent| parent != item) {
            let above = self.0.get(parent).copied().unwrap_or(parent);
            if let Some(shortened) = self.0.get_mut(item) {
                *shortened = above;
            }
            item = parent;
        }
        item
    }

    fn groups(mut self) -> Vec<Vec<usize>> {
        let mut places = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for item in 0..self.0.len() {
            let first = self.first(item);
            let place = *places.entry(first).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.push(item);
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_that_are_joined_over_others_are_one() {
        let mut forest = Forest((0..8).collect());
        for (one, other) in [(6, 7), (1, 3), (5, 6), (3, 5), (2, 2)] {
            forest.join(one, other);
        }
        assert_eq!(forest.groups(), [vec![0], vec![1, 3, 5, 6, 7], vec![2], vec![4]]);
    }
}
