use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use data::{DatasetError, ExampleGroup, Examples};
use rayon::prelude::*;
use serde::Serialize;
use support::ProgressTask;

use super::content::{checksums, content_keys};
use super::near_duplicates::{Measure, NearDuplicateIndex};

/// Groups of equal and near-duplicate examples, and of examples with a group name in common, each kept in
/// one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupStatistics {
    /// Number of groups of two or more examples.
    pub groups: usize,
    /// Number of examples in these groups.
    pub examples: usize,
    /// Number of examples in the largest group.
    pub largest: usize,
}

/// Maximum number of images between two updates of the sets.
const BLOCK: usize = 256;

/// Groups of one example each.
pub fn single_groups(examples: &Examples) -> Result<Vec<ExampleGroup>, DatasetError> {
    let keys = content_keys(examples)?.into_iter().enumerate();
    Ok(keys.map(|(item, key)| ExampleGroup { members: vec![item], key }).collect())
}

/// Groups of examples that are equal, near-duplicates by `measure` or in one named group, transitively, in
/// the order of their first examples. `names` has the name of the group of each example, if any.
pub fn groups<N: Eq + Hash>(
    examples: &Examples,
    measure: Option<&Measure>,
    names: impl Iterator<Item = Option<N>>,
) -> Result<Vec<ExampleGroup>, DatasetError> {
    let mut sets = DisjointSets((0..examples.len()).collect());
    let keys = content_keys(examples)?;
    sets.unite_equal(keys.iter().copied().map(Some));
    if !examples.origins.is_empty() {
        // Different files with equal pixels.
        sets.unite_equal(checksums(examples)?.into_iter().map(Some));
    }
    sets.unite_equal(names);
    let index = measure.map(|measure| NearDuplicateIndex::new(examples, measure)).transpose()?;
    if let Some(index) = index.flatten() {
        sets.unite_near_duplicates(&index)?;
    }
    let groups = sets.groups().into_iter().map(|members| {
        let own = members.iter().filter_map(|&member| keys.get(member));
        // The same key in any order of the examples.
        ExampleGroup { key: own.min().copied().unwrap_or_default(), members }
    });
    Ok(groups.collect())
}

impl GroupStatistics {
    /// Statistics of `groups`.
    pub fn of(groups: &[ExampleGroup]) -> Self {
        let sizes = groups.iter().map(|group| group.members.len()).filter(|&size| size > 1);
        Self {
            groups: sizes.clone().count(),
            examples: sizes.clone().sum(),
            largest: sizes.max().unwrap_or(0),
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

    /// Unites items with equal values; an item may have none.
    fn unite_equal<V: Eq + Hash>(&mut self, values: impl Iterator<Item = Option<V>>) {
        let mut firsts = HashMap::new();
        for (item, value) in values.enumerate() {
            if let Some(value) = value {
                self.union(*firsts.entry(value).or_insert(item), item);
            }
        }
    }

    /// Unites near-duplicates. Pairs in one set already are not compared, so that a thousand frames of one
    /// scene need not be compared with each other.
    fn unite_near_duplicates(&mut self, index: &NearDuplicateIndex) -> Result<(), DatasetError> {
        let positions: Vec<usize> = (0..index.len()).collect();
        let task = ProgressTask::start("searching for near-duplicates", positions.len());
        let (mut done, mut size) = (0, 1);
        while let Some(block) = positions.get(done..(done + size).min(positions.len())) {
            if block.is_empty() {
                break;
            }
            let sets = &*self;
            let found = block.par_iter().map(|&position| {
                index.near_duplicates_after(position, |one, other| {
                    sets.first(one) != sets.first(other)
                })
            });
            let found: Vec<Vec<(usize, usize)>> = found.collect::<Result<_, DatasetError>>()?;
            found.into_iter().flatten().for_each(|(one, other)| self.union(one, other));
            task.advance(block.len());
            // Small blocks first: one image unites all near-duplicates of a large set of them.
            (done, size) = (done + block.len(), (2 * size).min(BLOCK));
        }
        Ok(())
    }

    /// First item of the set of `item`.
    fn first(&self, mut item: usize) -> usize {
        while let Some(&parent) = self.0.get(item).filter(|&&parent| parent != item) {
            item = parent;
        }
        item
    }

    /// First item of the set of `item`, to which the link of `item` is then set.
    fn find(&mut self, item: usize) -> usize {
        let first = self.first(item);
        if let Some(link) = self.0.get_mut(item) {
            *link = first;
        }
        first
    }

    fn groups(mut self) -> Vec<Vec<usize>> {
        let mut groups = BTreeMap::<usize, Vec<usize>>::new();
        for item in 0..self.0.len() {
            groups.entry(self.find(item)).or_default().push(item);
        }
        groups.into_values().collect()
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
