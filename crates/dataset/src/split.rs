use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::sampler::{HoldOut, stratified};
use crate::source::Source;

/// What is held out of the training set: `[split]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// The share of each class of the training set to validate on.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub validation_fraction: f64,
    /// The share of each class of the training set to test on, where there is no test set.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub test_fraction: f64,
}

/// The parts of a data set as a run uses them.
#[derive(Debug)]
pub struct Split {
    /// What to train on.
    pub train: Examples,
    /// What to choose the best model by.
    pub validation: Option<Examples>,
    /// What to report on.
    pub test: Examples,
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
}

/// Where the examples of each part stand in the training set of their source, ascending; nothing
/// where the source has a set of its own for a part, or the run none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Those to train on.
    pub train: Vec<usize>,
    /// Those to choose the best model by.
    pub validation: Vec<usize>,
    /// Those to report on.
    pub test: Vec<usize>,
}

impl SplitConfig {
    /// Splits `source` as the run with `seed` does. Both fractions are of its whole training set.
    pub fn apply(&self, source: Source, seed: u64) -> Result<Split, DatasetError> {
        let division = self.divide(&source, seed)?;
        let Source { train, validation, test, classes, .. } = source;
        let held_out = |items: &[usize]| (!items.is_empty()).then(|| train.select(items));
        let validation = validation.or_else(|| held_out(&division.validation));
        let test = test.unwrap_or_else(|| train.select(&division.test));
        let train = match division.train.len() == train.len() {
            true => train,
            false => train.select(&division.train),
        };
        Ok(Split { train, validation, test, classes })
    }

    /// Which examples of the training set of `source` the run with `seed` uses for what.
    pub fn divide(&self, source: &Source, seed: u64) -> Result<Division, DatasetError> {
        let labels = &source.train.labels;
        let all: Vec<usize> = (0..labels.len()).collect();
        let (rest, test) = match source.test {
            Some(_) => (all, Vec::new()),
            None => self.hold_out(labels, |_| 1, all, HoldOut::Test, seed)?,
        };
        if source.validation.is_some() || self.validation_fraction == 0.0 {
            return Ok(Division { train: rest, validation: Vec::new(), test });
        }
        let (train, validation) = self.hold_out(labels, |_| 1, rest, HoldOut::Validation, seed)?;
        Ok(Division { train, validation, test })
    }

    /// Divides groups of examples, of the classes `labels` and these sizes, so that none is torn:
    /// which groups are for what. Nothing is held out for a part whose fraction is 0.
    pub(crate) fn divide_groups(
        &self,
        labels: &[u32],
        sizes: &[usize],
        seed: u64,
    ) -> Result<Division, DatasetError> {
        let size = |group: usize| sizes.get(group).copied().unwrap_or_default();
        let hold_out = |rest, part, fraction: f64| match fraction > 0.0 {
            true => self.hold_out(labels, size, rest, part, seed),
            false => Ok((rest, Vec::new())),
        };
        let all = (0..labels.len()).collect();
        let (rest, test) = hold_out(all, HoldOut::Test, self.test_fraction)?;
        let (train, validation) = hold_out(rest, HoldOut::Validation, self.validation_fraction)?;
        Ok(Division { train, validation, test })
    }

    /// Notes every value that cannot be meant.
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
            "test_fraction",
            has_test || self.test_fraction > 0.0,
            "there is nothing to test on: name the file `dataset.hdf5.test` or set this key, for example to 0.1",
        );
        check.require(
            "validation_fraction",
            self.validation_fraction + self.test_fraction < 1.0,
            "both fractions together leave nothing to train on",
        );
    }

    /// What is left of `items`, and what is held out of each class as `part`: a fraction of the
    /// whole training set, which has these `labels` and sizes, and of which `items` are what is left.
    fn hold_out(
        &self,
        labels: &[u32],
        size: impl Fn(usize) -> usize,
        items: Vec<usize>,
        part: HoldOut,
        seed: u64,
    ) -> Result<(Vec<usize>, Vec<usize>), DatasetError> {
        let fraction = match part {
            HoldOut::Validation => self.validation_fraction,
            HoldOut::Test => self.test_fraction,
        };
        let total = |items: &mut dyn Iterator<Item = usize>| items.map(&size).sum::<usize>();
        let count = total(&mut (0..labels.len()));
        let of_these = fraction * count as f64 / total(&mut items.iter().copied()) as f64;
        let own: Vec<u32> = items.iter().filter_map(|&item| labels.get(item).copied()).collect();
        let of_place = |place: usize| items.get(place).map_or(0, |&item| size(item));
        let places = stratified(&own, of_place, part, of_these, seed);
        let whole = |places: Vec<usize>| -> Vec<usize> {
            places.into_iter().filter_map(|place| items.get(place).copied()).collect()
        };
        let (rest, held_out) = (whole(places.0), whole(places.1));
        if held_out.is_empty() {
            return Err(DatasetError::EmptySplit {
                part: part.as_str(),
                fraction,
                count,
                rest: total(&mut rest.iter().copied()),
                held_out: 0,
            });
        }
        Ok((rest, held_out))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn source(count: usize) -> Source {
        let labels = (0..count as u32).map(|item| item % 2).collect();
        let train = Examples::features(1, (0..count).map(|item| item as f32).collect(), labels);
        let classes = vec!["a".to_owned(), "b".to_owned()];
        let (validation, test, sha256) = (None, None, BTreeMap::new());
        Source { train, validation, test, classes, stand_in: false, sha256 }
    }

    #[test]
    fn a_split_of_98_1_1_is_of_the_whole_and_loses_nothing() {
        let split = SplitConfig { validation_fraction: 0.01, test_fraction: 0.01 };
        let parts = split.apply(source(1000), 1).unwrap();
        let validation = parts.validation.unwrap();
        assert_eq!((parts.train.len(), validation.len(), parts.test.len()), (980, 10, 10));
        let all = [parts.train, validation, parts.test];
        let mut values: Vec<f32> = all
            .iter()
            .flat_map(|part| part.gather(&(0..part.len()).collect::<Vec<_>>()).unwrap())
            .collect();
        values.sort_by(f32::total_cmp);
        assert_eq!(values, (0..1000).map(|item| item as f32).collect::<Vec<_>>());
    }

    #[test]
    fn a_fraction_too_small_for_one_example_is_refused() {
        let split = SplitConfig { validation_fraction: 0.0, test_fraction: 0.01 };
        let error = split.apply(source(10), 1).unwrap_err().to_string();
        assert!(error.contains("split.test_fraction"), "{error}");
    }

    #[test]
    fn however_much_is_held_out_each_class_keeps_an_example_to_train_on() {
        let split = SplitConfig { validation_fraction: 0.99, test_fraction: 0.0 };
        let source = Source { test: Some(source(10).train), ..source(10) };
        let parts = split.apply(source, 1).unwrap();
        let mut kept = parts.train.labels;
        kept.sort_unstable();
        assert_eq!((kept, parts.validation.unwrap().len()), (vec![0, 1], 8));
    }
}
