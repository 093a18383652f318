use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::images::LabelledImages;
use crate::sampler;
use crate::source::Source;

/// What is held out of the training set: `[split]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// The share of each class of the training set to validate on, at least 0 and less than 1.
    pub validation_fraction: f64,
}

/// The parts of a data set as a run uses them.
#[derive(Debug)]
pub struct Split {
    /// What to train on.
    pub train: LabelledImages,
    /// What to choose the best model by.
    pub validation: Option<LabelledImages>,
    /// What to report on.
    pub test: LabelledImages,
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
}

impl SplitConfig {
    /// Splits `source` as the run with `seed` does.
    pub fn apply(&self, source: Source, seed: u64) -> Result<Split, DatasetError> {
        let Source { train, validation, test, classes, .. } = source;
        if validation.is_some() || self.validation_fraction == 0.0 {
            return Ok(Split { train, validation, test, classes });
        }
        let (rest, held_out) = sampler::stratified(&train.labels, self.validation_fraction, seed);
        if rest.is_empty() || held_out.is_empty() {
            return Err(DatasetError::EmptySplit {
                fraction: self.validation_fraction,
                count: train.len(),
                train: rest.len(),
                validation: held_out.len(),
            });
        }
        let validation = Some(train.select(&held_out));
        Ok(Split { train: train.select(&rest), validation, test, classes })
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, has_validation: bool, check: &mut Check) {
        check.fraction("validation_fraction", self.validation_fraction);
        check.require(
            "validation_fraction",
            !has_validation || self.validation_fraction == 0.0,
            "the data set has a validation file of its own: remove this key or that file",
        );
    }
}
