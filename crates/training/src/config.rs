use std::path::Path;

use ::config::{Check, ConfigError, Document};
use dataset::{DatasetConfig, Normalization, SplitConfig};
use models::ModelConfig;
use serde::{Deserialize, Serialize};

use crate::checkpoint::CheckpointConfig;
use crate::error::RunError;
use crate::optimizer::OptimizerConfig;
use crate::schedule::ScheduleConfig;
use crate::session::EarlyStoppingConfig;

/// One experiment. Composes the configs of its parts and adds nothing to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The name of the experiment: its runs are `runs/<name>`, `runs/<name>-2`, ..
    pub name: String,
    /// What all randomness of the run depends on.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Where to run, for example `flex` or `wgpu:0`; the best device of the build if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Where the images come from.
    pub dataset: DatasetConfig,
    /// What is held out of the training set.
    #[serde(default)]
    pub split: SplitConfig,
    /// How pixels become inputs.
    #[serde(default)]
    pub input: InputConfig,
    /// What is trained.
    pub model: ModelConfig,
    /// How its parameters follow their gradients.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes over the run.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// How long to train, and in which batches.
    pub training: TrainingConfig,
}

/// How pixels become inputs: `[input]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputConfig {
    /// The map of pixels to inputs, fitted on the training set alone.
    pub normalization: Normalization,
}

/// How long to train, and in which batches: `[training]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// How often to visit the whole training set.
    pub epochs: usize,
    /// The number of images of a batch; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// When to stop before the last epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// When to save, and how much to keep.
    #[serde(default)]
    pub checkpoint: CheckpointConfig,
}

/// Four gigabytes for the weights, their gradients and the two means of Adam.
const MOST_PARAMETERS: usize = 250_000_000;

fn default_seed() -> u64 {
    1
}

impl RunConfig {
    /// Reads the config at `path` under its `key=value` overrides.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        Self::from_document(&Document::read(path, overrides)?)
    }

    fn from_document(document: &Document) -> Result<Self, ConfigError> {
        let config: Self = document.deserialize()?;
        let mut check = Check::default();
        config.check(&mut check);
        match check.into_problems() {
            problems if problems.is_empty() => Ok(config),
            problems => Err(document.error(problems)),
        }
    }

    /// Fails if this cannot be trained on `count` images of shape `image` in so many `classes`.
    pub fn check_against(
        &self,
        image: [usize; 3],
        count: usize,
        classes: usize,
    ) -> Result<(), RunError> {
        let parameters = self.model.parameters(image, classes);
        if parameters.is_none_or(|parameters| parameters > MOST_PARAMETERS) {
            return Err(RunError::TooLarge { most: MOST_PARAMETERS });
        }
        let batch_size = self.training.batch_size;
        if self.model.has_batch_norm() && (batch_size == 1 || count % batch_size == 1) {
            return Err(RunError::BatchOfOne { count, batch_size });
        }
        Ok(())
    }

    fn check(&self, check: &mut Check) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let named = !self.name.is_empty() && self.name.len() <= 64 && self.name.chars().all(plain);
        check.require("name", named, "a name is 1 to 64 letters, digits, `-` or `_`");
        let largest = i64::MAX as u64;
        check.require("seed", self.seed <= largest, format_args!("seeds end at {largest}"));

        let has_validation = self.dataset.has_validation();
        check.table("dataset", |check| self.dataset.check(check));
        check.table("split", |check| self.split.check(has_validation, check));
        check.table("model", |check| self.model.check(check));
        check.table("optimizer", |check| self.optimizer.check(check));
        check.table("schedule", |check| self.schedule.check(self.training.epochs, check));
        let validates = has_validation || self.split.validation_fraction > 0.0;
        check.table("training", |check| self.training.check(validates, check));
    }
}

impl TrainingConfig {
    fn check(&self, validates: bool, check: &mut Check) {
        check.count("epochs", self.epochs, 10_000_000);
        check.count("batch_size", self.batch_size, 1_000_000);
        check.require(
            "early_stopping",
            validates || self.early_stopping.is_none(),
            "there is no validation set to stop by: set `split.validation_fraction`",
        );
        if let Some(early_stopping) = &self.early_stopping {
            check.table("early_stopping", |check| early_stopping.check(check));
        }
        check.table("checkpoint", |check| self.checkpoint.check(check));
    }
}
