use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::loaded_dataset::LoadedDataset;
use crate::sampler::stratified;
use crate::split_kind::SplitKind;

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
}

impl SplitConfig {
    /// Splits `source` for the run with `seed`. Both fractions are of its whole training set.
    ///
    /// # Errors
    ///
    /// If a part would be empty.
    pub fn apply(&self, source: LoadedDataset, seed: u64) -> Result<Split, DatasetError> {
        let indices = self.divide(&source, seed)?;
        let LoadedDataset { train, validation, test, classes, .. } = source;
        let validation = validation.or_else(|| {
            (!indices.validation.is_empty()).then(|| train.select(&indices.validation))
        });
        let test = test.or_else(|| (!indices.test.is_empty()).then(|| train.select(&indices.test)));
        let is_whole = indices.train.len() == train.len();
        let train = if is_whole { train } else { train.select(&indices.train) };
        Ok(Split { train, validation, test, classes })
    }

    /// Assigns the examples of the training set of `source` to the parts of the run with `seed`.
    ///
    /// # Errors
    ///
    /// If a part would be empty.
    pub fn divide(&self, source: &LoadedDataset, seed: u64) -> Result<SplitIndices, DatasetError> {
        let labels = &source.train.labels;
        let (mut train, mut validation, mut test) =
            ((0..labels.len()).collect(), Vec::new(), Vec::new());
        if source.test.is_none() && self.test_fraction != 0.0 {
            (train, test) = self.hold_out(labels, |_| 1, train, SplitKind::Test, seed)?;
        }
        if source.validation.is_none() && self.validation_fraction != 0.0 {
            (train, validation) =
                self.hold_out(labels, |_| 1, train, SplitKind::Validation, seed)?;
        }
        Ok(SplitIndices { train, validation, test })
    }

    /// Assigns whole groups of examples to parts. Group `i` has the class `labels[i]` and `sizes[i]`
    /// examples; the result contains indices of groups. A part with fraction 0 is empty.
    ///
    /// # Errors
    ///
    /// If a part with a fraction above 0 would be empty.
    pub fn divide_groups(
        &self,
        labels: &[u32],
        sizes: &[usize],
        seed: u64,
    ) -> Result<SplitIndices, DatasetError> {
        let size = |group: usize| sizes.get(group).copied().unwrap_or_default();
        let (mut train, mut validation, mut test) =
            ((0..labels.len()).collect(), Vec::new(), Vec::new());
        if self.test_fraction > 0.0 {
            (train, test) = self.hold_out(labels, size, train, SplitKind::Test, seed)?;
        }
        if self.validation_fraction > 0.0 {
            (train, validation) =
                self.hold_out(labels, size, train, SplitKind::Validation, seed)?;
        }
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
    }

    /// Holds `split` out of `items`, stratified by class. Returns the rest and the held-out items.
    ///
    /// `labels` and `size` describe the whole training set, which the fraction refers to; `items` are
    /// those of it that are still available.
    fn hold_out(
        &self,
        labels: &[u32],
        size: impl Fn(usize) -> usize,
        items: Vec<usize>,
        split: SplitKind,
        seed: u64,
    ) -> Result<(Vec<usize>, Vec<usize>), DatasetError> {
        let fraction = self.fraction(split);
        let count: usize = (0..labels.len()).map(&size).sum();
        let available: usize = items.iter().copied().map(&size).sum();
        let of_available = fraction * count as f64 / available as f64;
        let classes: Vec<u32> =
            items.iter().filter_map(|&item| labels.get(item).copied()).collect();
        let size_at = |position: usize| items.get(position).map_or(0, |&item| size(item));
        let (rest, held_out) = stratified(&classes, size_at, split, of_available, seed);
        let (rest, held_out) = (at(&items, &rest), at(&items, &held_out));
        if held_out.is_empty() {
            let rest = rest.iter().copied().map(&size).sum();
            return Err(DatasetError::EmptySplit { split, fraction, count, rest, held_out: 0 });
        }
        Ok((rest, held_out))
    }
}

/// Returns the `items` at `positions`.
fn at(items: &[usize], positions: &[usize]) -> Vec<usize> {
    positions.iter().filter_map(|&position| items.get(position).copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn source(count: usize) -> LoadedDataset {
        let labels = (0..count as u32).map(|item| item % 2).collect();
        let train = Examples::features(1, (0..count).map(|item| item as f32).collect(), labels);
        let classes = vec!["a".to_owned(), "b".to_owned()];
        LoadedDataset {
            train,
            validation: None,
            test: None,
            classes,
            synthetic: false,
            sha256: BTreeMap::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn fractions_refer_to_the_whole_training_set_and_no_example_is_lost() {
        let split = SplitConfig { validation_fraction: 0.01, test_fraction: 0.01 };
        let parts = split.apply(source(1000), 1).unwrap();
        let (validation, test) = (parts.validation.unwrap(), parts.test.unwrap());
        assert_eq!((parts.train.len(), validation.len(), test.len()), (980, 10, 10));
        let all = [parts.train, validation, test];
        let mut values: Vec<f32> = all
            .iter()
            .flat_map(|part| part.gather(&(0..part.len()).collect::<Vec<_>>()).unwrap())
            .collect();
        values.sort_by(f32::total_cmp);
        assert_eq!(values, (0..1000).map(|item| item as f32).collect::<Vec<_>>());
    }

    #[test]
    fn without_a_test_set_the_validation_set_is_reported_and_without_either_the_training_set() {
        for (validation_fraction, reported) in
            [(0.2, (SplitKind::Validation, 20)), (0.0, (SplitKind::Train, 100))]
        {
            let split = SplitConfig { validation_fraction, test_fraction: 0.0 };
            let parts = split.apply(source(100), 1).unwrap();
            assert!(parts.test.is_none());
            let (kind, examples) = parts.reported();
            assert_eq!((kind, examples.len()), reported);
        }
    }

    #[test]
    fn a_fraction_too_small_for_one_example_is_refused() {
        let split = SplitConfig { validation_fraction: 0.0, test_fraction: 0.01 };
        let error = split.apply(source(10), 1).unwrap_err().to_string();
        assert!(error.contains("split.test_fraction"), "{error}");
    }

    #[test]
    fn each_class_keeps_an_example_to_train_on() {
        let split = SplitConfig { validation_fraction: 0.99, test_fraction: 0.0 };
        let source = LoadedDataset { test: Some(source(10).train), ..source(10) };
        let parts = split.apply(source, 1).unwrap();
        let mut kept = parts.train.labels;
        kept.sort_unstable();
        assert_eq!((kept, parts.validation.unwrap().len()), (vec![0, 1], 8));
    }
}
