use std::collections::HashMap;

use data::{DatasetError, Examples, SplitKind};
use rayon::prelude::*;
use serde::Serialize;

use super::error::ConvertError;
use super::progress::{ProgressCallback, report_progress};
use crate::quality::inspection::checksums;
use crate::quality::near_duplicates::NearDuplicateIndex;

/// Groups of examples that must be in the same split.
#[derive(Debug)]
pub struct ExampleGroups {
    /// Indices of the examples of each group, ascending; groups in the order of their first example.
    pub members: Vec<Vec<usize>>,
    /// Number of examples that near-duplicates were searched for.
    searched: usize,
}

/// Groups of near-duplicates, each kept in one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateGroups {
    /// Number of groups of two or more examples.
    pub groups: usize,
    /// Number of examples in these groups.
    pub examples: usize,
    /// Number of examples in the largest group.
    pub largest: usize,
    /// Number of examples that near-duplicates were searched for, and number of all examples.
    pub searched: [usize; 2],
    /// Classes missing from a split because their groups are larger than the held-out fraction.
    pub missing_classes: Vec<MissingClass>,
}

/// A class of which a split should have examples but has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingClass {
    /// The split.
    pub part: SplitKind,
    /// Name of the class.
    pub class: String,
}

/// Number of images between two calls of the progress callback.
const BLOCK: usize = 1024;

impl ExampleGroups {
    /// Groups of one example each.
    pub fn single(count: usize) -> Self {
        Self { members: (0..count).map(|item| vec![item]).collect(), searched: 0 }
    }

    /// Groups of equal and near-duplicate examples, transitively.
    pub fn of_near_duplicates(
        examples: &Examples,
        progress: &mut ProgressCallback,
    ) -> Result<Self, ConvertError> {
        let mut sets = DisjointSets((0..examples.len()).collect());
        let mut firsts = HashMap::new();
        for (item, checksum) in checksums(examples)?.into_iter().enumerate() {
            sets.union(*firsts.entry(checksum).or_insert(item), item);
        }
        let mut searched = examples.len();
        if let Some(index) = NearDuplicateIndex::of(examples)? {
            let indices = index.searched_indices();
            searched = indices.len();
            for (number, block) in indices.chunks(BLOCK).enumerate() {
                report_progress(
                    progress,
                    "searching for near-duplicates",
                    number * BLOCK,
                    searched,
                )?;
                let near_duplicates =
                    block.par_iter().map(|&item| Ok((item, index.near_duplicates_of(item)?)));
                let near_duplicates: Vec<_> =
                    near_duplicates.collect::<Result<_, DatasetError>>()?;
                for (item, near_duplicates) in near_duplicates {
                    near_duplicates.into_iter().for_each(|other| sets.union(item, other));
                }
            }
        }
        Ok(Self { members: sets.groups(), searched })
    }

    /// Statistics of the groups of `count` examples, without missing classes.
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

/// Union-find: the parent of each item, which has a lower index, or the item itself.
struct DisjointSets(Vec<usize>);

impl DisjointSets {
    fn union(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        if let Some(parent) = self.0.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }

    /// First item of the set of `item`. Halves the path to it.
    fn find(&mut self, mut item: usize) -> usize {
        while let Some(&parent) = self.0.get(item).filter(|&&parent| parent != item) {
            let grandparent = self.0.get(parent).copied().unwrap_or(parent);
            if let Some(link) = self.0.get_mut(item) {
                *link = grandparent;
            }
            item = parent;
        }
        item
    }

    fn groups(mut self) -> Vec<Vec<usize>> {
        let mut numbers = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for item in 0..self.0.len() {
            let first = self.find(item);
            let number = *numbers.entry(first).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(number) {
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
    fn unions_are_transitive() {
        let mut sets = DisjointSets((0..8).collect());
        for (one, other) in [(6, 7), (1, 3), (5, 6), (3, 5), (2, 2)] {
            sets.union(one, other);
        }
        assert_eq!(sets.groups(), [vec![0], vec![1, 3, 5, 6, 7], vec![2], vec![4]]);
    }
}
