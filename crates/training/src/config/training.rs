use std::time::Duration;

use ::config::Check;
use data::shuffled;
use serde::{Deserialize, Serialize};

use super::BatchSize;
use crate::batch::LoaderConfig;
use crate::optim::{EmaConfig, GradientClipping};

/// Duration, batches and checkpoints: `[training]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Number of passes over the training set; may be absent if there is a time budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub epochs: Option<usize>,
    /// Time budget in minutes, from the start of the program to its end. The number of steps, and
    /// with it the schedule, is fitted to the measured speed: to fill the time, or with `epochs`, to
    /// at most as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0))]
    pub max_minutes: Option<f64>,
    /// The number of steps that a run with a time budget had, which records it here. A run with a
    /// plan repeats it, whatever its time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<PlannedSteps>,
    /// Number of examples per batch; the last batch of an epoch may be smaller. If absent, the
    /// whole training set: batch gradient descent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<BatchSize>,
    /// Number of batches per optimizer step, which uses the mean of their gradients.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub accumulation: usize,
    /// Limit of the gradients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_clipping: Option<GradientClipping>,
    /// Interval in epochs at which to validate, write metrics and print a line. The last epoch is
    /// always reported.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub report_every_epochs: usize,
    /// Reaction to a loss, gradient or weight that is not finite.
    #[serde(default)]
    pub on_nan: OnNan,
    /// Metric of the validation set by which the model is chosen, as its mean over the last five
    /// reported epochs. If absent, `last` with `ema` and without early stopping, otherwise `loss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_metric: Option<BestMetric>,
    /// Whether to train once more afterwards, on the training and the validation set together and for
    /// as many epochs as the best model had, in the folder `final` of the run. The model of the run is
    /// then that one; its validation scores are still those of the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub final_fit: bool,
    /// Early stopping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// Moving average of the weights, evaluated and saved instead of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<EmaConfig>,
    /// Checkpoints.
    #[serde(default)]
    pub checkpoint: CheckpointConfig,
    /// Threads that prepare batches.
    #[serde(default)]
    pub loader: LoaderConfig,
}

/// What the model is chosen by: `training.best_metric`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BestMetric {
    /// The model after the last epoch, whatever its scores.
    Last,
    /// Lowest mean loss.
    Loss,
    /// Highest share of correct predictions.
    Accuracy,
    /// Highest mean of the F1 scores of the classes.
    MacroF1,
    /// Highest mean of the recalls of the classes.
    BalancedAccuracy,
}

/// Number of steps of a run, from a step on: `[[training.plan]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedSteps {
    /// Number of steps after which it was planned.
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64))]
    pub from_step: usize,
    /// Number of steps of the whole run.
    #[schemars(range(min = 1, max = 1_000_000_000_000_u64))]
    pub total_steps: usize,
}

/// Early stopping: `[training.early_stopping]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingConfig {
    /// Number of reported epochs without a better validation score after which training stops.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub patience: usize,
}

/// Reaction to a number that is not finite: `training.on_nan`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnNan {
    /// Fail; the last checkpoint is intact.
    #[default]
    Stop,
    /// Return to the last scheduled checkpoint and continue with half the learning rate; fail after
    /// 10 rollbacks.
    Rollback,
}

/// Checkpoints: `[training.checkpoint]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Interval in epochs; the last epoch always has a checkpoint. If absent, every reported epoch
    /// has one, at most one in `min_interval`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub every_epochs: Option<usize>,
    /// Additional interval in steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub every_steps: Option<usize>,
    /// Shortest time in seconds between the checkpoints of two reported epochs, so that short epochs
    /// do not wait for the disk. A stop always has a checkpoint. Without effect if `every_epochs` or
    /// `every_steps` is set, or with `on_nan = "rollback"`, whose result depends on the checkpoints.
    #[schemars(range(min = 0, max = 1e6))]
    pub min_interval: f64,
    /// Number of checkpoints to keep, beside that of the best epoch.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub keep_last: usize,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { every_epochs: None, every_steps: None, min_interval: 10.0, keep_last: 2 }
    }
}

impl CheckpointConfig {
    /// Shortest time between the checkpoints of two epochs.
    pub fn shortest_interval(&self) -> Duration {
        let is_explicit = self.every_epochs.is_some() || self.every_steps.is_some();
        let seconds = if is_explicit { 0.0 } else { self.min_interval };
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

fn one() -> usize {
    1
}

const MOST_EPOCHS: usize = 10_000_000;

impl TrainingConfig {
    /// Batch size for a training set of `count` examples.
    pub fn batch_size(&self, count: usize) -> usize {
        match self.batch_size {
            None => count,
            Some(BatchSize::Fixed(size)) => size.min(count),
            Some(BatchSize::Auto) => BatchSize::automatic(count, |_| true).min(count),
        }
    }

    /// Steps per epoch for a training set of `count` examples.
    pub fn steps(&self, count: usize) -> usize {
        count.div_ceil(self.step_examples(count))
    }

    /// Examples per step for a training set of `count` examples.
    pub fn step_examples(&self, count: usize) -> usize {
        self.batch_size(count).saturating_mul(self.accumulation).min(count)
    }

    /// The order in which an epoch visits `count` examples. A single batch is not shuffled.
    pub fn order(&self, count: usize, seed: u64, epoch: usize) -> Vec<usize> {
        if self.batch_size(count) == count {
            (0..count).collect()
        } else {
            shuffled(count, seed, epoch as u64)
        }
    }

    /// What the model is chosen by. A moving average of the weights has little noise left that a
    /// choice between epochs could remove; the choice itself adds some on a small validation set.
    pub fn best_metric(&self) -> BestMetric {
        let is_averaged = self.ema.is_some() && self.early_stopping.is_none();
        self.best_metric.unwrap_or(if is_averaged { BestMetric::Last } else { BestMetric::Loss })
    }

    /// Largest number of epochs.
    pub fn most_epochs(&self) -> usize {
        self.epochs.unwrap_or(MOST_EPOCHS)
    }

    /// Steps of a run on `count` examples as planned after `step` steps, by `plan` or by the number of
    /// epochs.
    pub fn total_steps(&self, plan: &[PlannedSteps], step: usize, count: usize) -> usize {
        let planned = plan.iter().rfind(|planned| planned.from_step <= step);
        let epochs = self.epochs.map(|epochs| epochs.saturating_mul(self.steps(count)));
        let first = plan.first().map(|planned| planned.total_steps);
        planned.map(|planned| planned.total_steps).or(epochs).or(first).unwrap_or(usize::MAX)
    }

    /// Epochs of a run on `count` examples; `None` if they depend on its speed.
    pub fn planned_epochs(&self, count: usize) -> Option<usize> {
        let planned = self.plan.last();
        planned.map(|planned| planned.total_steps.div_ceil(self.steps(count))).or(self.epochs)
    }

    /// Reports every invalid value; `validates` if there is a validation set.
    pub(super) fn check(&self, validates: bool, check: &mut Check) {
        check.require(
            "epochs",
            self.epochs.is_some() || self.max_minutes.is_some() || !self.plan.is_empty(),
            "`epochs` is missing: add it, or set a time budget, `max_minutes`",
        );
        check.require(
            "plan",
            self.plan.is_sorted_by(|one, next| one.from_step < next.from_step),
            "the values of `from_step` must increase",
        );
        check.require(
            "early_stopping",
            validates || self.early_stopping.is_none(),
            "early stopping needs a validation set: set `split.validation_fraction`, or name its file",
        );
        check.require(
            "final_fit",
            validates || !self.final_fit,
            "without a validation set the first fit is the final one: set `split.validation_fraction`, or remove this key",
        );
        check.require(
            "best_metric",
            validates || matches!(self.best_metric, None | Some(BestMetric::Last)),
            "only a validation set has this metric: set `split.validation_fraction`, or name its file",
        );
        check.require(
            "best_metric",
            self.early_stopping.is_none() || self.best_metric != Some(BestMetric::Last),
            "early stopping needs a metric that has a best epoch, such as \"loss\"",
        );
    }
}
