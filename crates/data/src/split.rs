use std::cmp::Reverse;
use std::collections::BTreeMap;

use config::Check;
use regex::Regex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::loaded_dataset::{LoadedDataset, SplitKind};

/// Parts held out of the training set: `[split]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// Fraction of each class of the training set to validate on.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub validation_fraction: f64,
    /// Fraction of each class of the training set to test on, if the source has no test set. Without
    /// any test set, the scores of the validation set are reported.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub test_fraction: f64,
    /// Whether to train on the validation examples too, so that nothing is left to validate on. The
    /// other parts stay the same. The final fit of a run has this.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub train_on_validation: bool,
    /// Regular expression that finds the name of a group in the path of a file, for example
    /// `^[^_]+_(?<group>[^_]+)` for `cat_anna_1.jpg`: the files of a group (a person, a session) stay in
    /// one part. The name is what the group `group`, or else the first group, matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_pattern: Option<String>,
}

/// The parts of a data set as a run uses them.
#[derive(Debug)]
pub struct Split {
    /// Examples to train on.
    pub train: Examples,
    /// Examples to select the best model by.
    pub validation: Option<Examples>,
    /// Examples to report the final scores on.
    pub test: Option<Examples>,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
}

/// Examples that must be in one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleGroup {
    /// Indices of the examples, ascending.
    pub members: Vec<usize>,
    /// Key of the content of the group, which does not depend on the order of the examples.
    pub key: [u8; 32],
}

/// Indices of the examples of each part in the training set of their source, ascending. A part is
/// empty if the source has its own set for it, or if the run has no such part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitIndices {
    /// Examples to train on.
    pub train: Vec<usize>,
    /// Examples to select the best model by.
    pub validation: Vec<usize>,
    /// Examples to report the final scores on.
    pub test: Vec<usize>,
}

impl Split {
    /// Examples of a part; `None` if the run has no such part.
    pub fn examples(&self, split: SplitKind) -> Option<&Examples> {
        match split {
            SplitKind::Train => Some(&self.train),
            SplitKind::Validation => self.validation.as_ref(),
            SplitKind::Test => self.test.as_ref(),
        }
    }

    /// Like [`Split::examples`], without the other parts.
    pub fn into_examples(self, split: SplitKind) -> Option<Examples> {
        match split {
            SplitKind::Train => Some(self.train),
            SplitKind::Validation => self.validation,
            SplitKind::Test => self.test,
        }
    }

    /// The part whose scores are reported, with its examples; see [`SplitKind::reported`].
    pub fn reported(&self) -> (SplitKind, &Examples) {
        let kind = SplitKind::reported(|kind| self.examples(kind).is_some());
        (kind, self.examples(kind).unwrap_or(&self.train))
    }

    /// The parts of `source`, whose training set is divided.
    pub fn new(source: LoadedDataset, indices: &SplitIndices) -> Self {
        let LoadedDataset { train, validation, test, classes, .. } = source;
        let held_out = |indices: &[usize]| (!indices.is_empty()).then(|| train.select(indices));
        let validation = validation.or_else(|| held_out(&indices.validation));
        let test = test.or_else(|| held_out(&indices.test));
        let is_whole = indices.train.len() == train.len();
        let train = if is_whole { train } else { train.select(&indices.train) };
        Self { train, validation, test, classes }
    }

    /// Moves the validation examples to the end of the training set.
    #[must_use]
    pub fn with_validation_in_train(self) -> Self {
        let train = match &self.validation {
            Some(validation) => self.train.concat(validation),
            None => self.train,
        };
        Self { train, validation: None, ..self }
    }
}

impl ExampleGroup {
    /// The most frequent label of its members; of equally frequent ones the lowest.
    fn class(&self, labels: &[u32]) -> u32 {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for label in self.members.iter().filter_map(|&member| labels.get(member)) {
            *counts.entry(*label).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(label, count)| (*count, Reverse(*label)));
        most.map_or(0, |(label, _)| label)
    }
}

impl SplitConfig {
    /// Assigns the examples of a training set with these `labels` to parts: `groups` are not divided, a
    /// group with several classes counts as the most frequent of them, and only the parts of `held_out`
    /// whose fraction is above 0 are held out. Both fractions are of the whole training set. Fails if a part
    /// would be empty.
    pub fn divide(
        &self,
        labels: &[u32],
        groups: &[ExampleGroup],
        held_out: &[SplitKind],
        seed: u64,
    ) -> Result<SplitIndices, DatasetError> {
        let classes: Vec<u32> = groups.iter().map(|group| group.class(labels)).collect();
        let mut parts = vec![SplitKind::Train; groups.len()];
        for &split in held_out.iter().filter(|split| self.fraction(**split) != 0.0) {
            // Number of examples of each class, and its groups in the training set.
            let mut of_class: BTreeMap<u32, (usize, Vec<Candidate>)> = BTreeMap::new();
            let assigned = groups.iter().zip(&classes).zip(&parts).enumerate();
            for (index, ((group, class), part)) in assigned {
                let (count, candidates) = of_class.entry(*class).or_default();
                *count += group.members.len();
                if *part == SplitKind::Train {
                    candidates.push((index, group));
                }
            }
            for (count, candidates) in of_class.into_values() {
                let room = (count as f64 * self.fraction(split)).round() as usize;
                for group in hold_out(candidates, room, split, seed) {
                    parts.get_mut(group).into_iter().for_each(|part| *part = split);
                }
            }
            if !parts.contains(&split) {
                let (fraction, count) = (self.fraction(split), labels.len());
                return Err(DatasetError::EmptySplit { split, fraction, count });
            }
        }
        let of_part = |split| {
            let groups = groups.iter().zip(&parts).filter(|(_, part)| **part == split);
            let mut items: Vec<usize> =
                groups.flat_map(|(group, _)| group.members.iter().copied()).collect();
            items.sort_unstable();
            items
        };
        let [train, validation, test] = SplitKind::ALL.map(of_part);
        Ok(SplitIndices { train, validation, test })
    }

    /// Fraction of the training set of the source that goes to `split`.
    pub fn fraction(&self, split: SplitKind) -> f64 {
        match split {
            SplitKind::Train => 1.0 - self.validation_fraction - self.test_fraction,
            SplitKind::Validation => self.validation_fraction,
            SplitKind::Test => self.test_fraction,
        }
    }

    /// Reports invalid values.
    pub fn check(&self, has_validation: bool, has_test: bool, check: &mut Check) {
        check.require(
            "validation_fraction",
            !has_validation || self.validation_fraction == 0.0,
            "the data set has a validation file of its own: remove this key or that file",
        );
        check.require(
            "test_fraction",
            !has_test || self.test_fraction == 0.0,
            "the data set has a test set of its own: remove this key or that set",
        );
        check.require(
            "validation_fraction",
            self.validation_fraction + self.test_fraction < 1.0,
            "both fractions together leave nothing to train on",
        );
        let pattern = self.group_pattern.as_deref().map(Regex::new);
        check.require(
            "group_pattern",
            pattern.is_none_or(|pattern| pattern.is_ok_and(|regex| regex.captures_len() > 1)),
            "expected a regular expression with a group in parentheses, such as ^([^_]+)_",
        );
    }
}

/// A group that can be held out, with its index.
type Candidate<'a> = (usize, &'a ExampleGroup);

/// Chooses groups of one class to hold out as `split`: as many as fit into `room` examples, in an order
/// that depends on seed and content alone. If all groups are larger, the smallest is held out, unless it
/// has more than half of the examples. One group always stays.
///
/// The position of a group in the order does not depend on the other groups, so that an added example
/// moves few others.
fn hold_out(
    mut candidates: Vec<Candidate>,
    room: usize,
    split: SplitKind,
    seed: u64,
) -> Vec<usize> {
    let rank = |group: &ExampleGroup| -> [u8; 32] {
        let hash = Sha256::new().chain_update(seed.to_le_bytes());
        hash.chain_update([split as u8]).chain_update(group.key).finalize().into()
    };
    candidates.sort_by_cached_key(|(index, group)| (rank(group), *index));
    let (mut left, mut held_out) = (room, Vec::new());
    for (index, group) in &candidates {
        if group.members.len() <= left && held_out.len() + 1 < candidates.len() {
            held_out.push(*index);
            left -= group.members.len();
        }
    }
    if held_out.is_empty() && room > 0 {
        let sizes = candidates.iter().map(|(index, group)| (group.members.len(), *index));
        let count: usize = sizes.clone().map(|(size, _)| size).sum();
        let smallest = sizes.min_by_key(|(size, _)| *size);
        held_out.extend(smallest.filter(|(size, _)| 2 * size <= count).map(|(_, index)| index));
    }
    held_out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of `size` examples each, with the hashes of their first indices as keys.
    fn groups(count: usize, size: usize) -> Vec<ExampleGroup> {
        let items: Vec<usize> = (0..count).collect();
        let groups = items.chunks(size).map(|members| ExampleGroup {
            members: members.to_vec(),
            key: Sha256::digest(members[0].to_le_bytes()).into(),
        });
        groups.collect()
    }

    fn divide(split: &SplitConfig, labels: &[u32], size: usize) -> SplitIndices {
        let held_out = [SplitKind::Test, SplitKind::Validation];
        split.divide(labels, &groups(labels.len(), size), &held_out, 1).unwrap()
    }

    #[test]
    fn fractions_refer_to_the_whole_training_set_and_no_example_is_lost() {
        let split =
            SplitConfig { validation_fraction: 0.01, test_fraction: 0.01, ..Default::default() };
        let labels: Vec<u32> = (0..1000).map(|item| item % 2).collect();
        let parts = divide(&split, &labels, 1);
        assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (980, 10, 10));
        let mut all = [parts.train, parts.validation, parts.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_fraction_of_every_class_is_held_out_and_groups_stay_whole() {
        let split = SplitConfig { validation_fraction: 0.1, ..Default::default() };
        let labels: Vec<u32> = (0..600).map(|item| item / 100).collect();
        let SplitIndices { train, validation, .. } = divide(&split, &labels, 5);
        for class in 0..6 {
            assert_eq!(validation.iter().filter(|&&item| labels[item] == class).count(), 10);
        }
        assert!(train.iter().all(|item| !validation.iter().any(|other| item / 5 == other / 5)));
    }

    #[test]
    fn a_group_of_several_classes_counts_as_the_most_frequent() {
        let split = SplitConfig { validation_fraction: 0.5, ..Default::default() };
        let parts = divide(&split, &[0, 1, 1, 1, 1, 0], 3);
        assert_eq!((parts.train.len(), parts.validation.len()), (3, 3));
    }

    #[test]
    fn a_fraction_too_small_for_one_example_is_refused() {
        let split = SplitConfig { test_fraction: 0.01, ..Default::default() };
        let refused = split.divide(&[0; 10], &groups(10, 1), &[SplitKind::Test], 1);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("split.test_fraction"), "{error}");
    }

    #[test]
    fn each_class_keeps_an_example_to_train_on() {
        let split = SplitConfig { validation_fraction: 0.99, ..Default::default() };
        let labels: Vec<u32> = (0..10).map(|item| item % 2).collect();
        let parts = divide(&split, &labels, 1);
        let mut kept: Vec<u32> = parts.train.iter().map(|&item| labels[item]).collect();
        kept.sort_unstable();
        assert_eq!((kept, parts.validation.len()), (vec![0, 1], 8));
    }

    /// Groups of these sizes, with the hashes of their indices as keys.
    fn hold_out(sizes: &[usize], room: usize, seed: u64) -> Vec<usize> {
        let groups = sizes.iter().enumerate().map(|(group, &size)| ExampleGroup {
            members: vec![0; size],
            key: Sha256::digest(group.to_le_bytes()).into(),
        });
        let groups: Vec<_> = groups.collect();
        super::hold_out(groups.iter().enumerate().collect(), room, SplitKind::Test, seed)
    }

    #[test]
    fn groups_fill_the_room_as_far_as_they_fit() {
        // Twenty groups of size 1 and two of size 10.
        let sizes: Vec<usize> = (0..22).map(|group| if group < 20 { 1 } else { 10 }).collect();
        for seed in 0..20 {
            let held_out = hold_out(&sizes, 10, seed);
            assert_eq!(held_out.iter().map(|&group| sizes[group]).sum::<usize>(), 10, "{seed}");
        }
        assert_ne!(hold_out(&sizes, 5, 1), hold_out(&sizes, 5, 2));
    }

    #[test]
    fn one_group_always_stays_and_a_too_large_one_is_not_held_out() {
        assert_eq!(hold_out(&[1], 1, 1), [0; 0]);
        assert_eq!(hold_out(&[1; 3], 9, 1).len(), 2);
        // All groups are larger than the room of 1.
        assert_eq!(hold_out(&[10, 3, 9], 1, 1), [1]);
        assert_eq!(hold_out(&[10, 11], 1, 1), [0]);
        assert_eq!(hold_out(&[10], 1, 1), [0; 0]);
        assert_eq!(hold_out(&[10, 3, 9], 0, 1), [0; 0]);
    }

    #[test]
    fn an_added_group_moves_at_most_one_other() {
        let before = hold_out(&[1; 100], 10, 7);
        let after = hold_out(&[1; 101], 10, 7);
        let moved = before.iter().filter(|group| !after.contains(group)).count();
        assert!(moved <= 1, "{before:?} {after:?}");
    }
}
