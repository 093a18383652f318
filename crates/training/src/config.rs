use std::path::Path;

use ::config::{Check, ConfigError, Document, Rules};
use dataset::{Augmentation, DatasetConfig, Normalization, Split, SplitConfig};
use models::ModelConfig;
use serde::{Deserialize, Serialize};

use crate::average::EmaConfig;
use crate::checkpoint::CheckpointConfig;
use crate::error::RunError;
use crate::gradients::GradientClipping;
use crate::loader::LoaderConfig;
use crate::objective::ObjectiveConfig;
use crate::optimizer::OptimizerConfig;
use crate::reference::ReferenceConfig;
use crate::schedule::ScheduleConfig;
use crate::schema::SCHEMA;
use crate::session::{EarlyStoppingConfig, OnNan};

/// One experiment. Composes the configs of its parts and adds nothing to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Where the examples come from.
    pub dataset: DatasetConfig,
    /// What is held out of the training set.
    #[serde(default)]
    pub split: SplitConfig,
    /// How values become inputs.
    #[serde(default)]
    pub input: InputConfig,
    /// How training images are changed at random, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub augmentation: Vec<Augmentation>,
    /// What is trained.
    pub model: ModelConfig,
    /// What is minimised.
    #[serde(default)]
    pub objective: ObjectiveConfig,
    /// How its parameters follow their gradients.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes over the run.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// How long to train, and in which batches.
    pub training: TrainingConfig,
    /// How the model classifies.
    #[serde(default)]
    pub evaluation: EvaluationConfig,
    /// What the experiment is known to reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceConfig>,
}

/// How the model classifies, in validation, evaluation and prediction: `[evaluation]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Each image together with its mirror image, left and right exchanged: the mean of the logits
    /// of both.
    pub mirrored: bool,
}

/// How values become inputs: `[input]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InputConfig {
    /// The map of values to inputs, fitted on the training set alone.
    pub normalization: Normalization,
}

/// How long to train, and in which batches: `[training]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// How often to visit the whole training set.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub epochs: usize,
    /// The number of examples of a batch; the last batch of an epoch may be smaller. If absent,
    /// the whole training set: batch gradient descent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub batch_size: Option<usize>,
    /// How many batches make one step, which follows the mean of their gradients.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub accumulation: usize,
    /// How gradients are kept small.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_clipping: Option<GradientClipping>,
    /// Validate, write a row of metrics and show a line after every so many epochs, and after the
    /// last one.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub report_every_epochs: usize,
    /// What to do when a number is not finite.
    #[serde(default)]
    pub on_nan: OnNan,
    /// When to stop before the last epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// An average of the weights that is evaluated and saved in place of the last ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<EmaConfig>,
    /// When to save, and how much to keep.
    #[serde(default)]
    pub checkpoint: CheckpointConfig,
    /// How batches are gathered.
    #[serde(default)]
    pub loader: LoaderConfig,
}

fn default_seed() -> u64 {
    1
}

fn one() -> usize {
    1
}

/// What it means that one config extends another.
const RULES: Rules = Rules {
    choices: &["dataset", "model", "optimizer", "schedule.decay", "training.gradient_clipping"],
    own: &["reference"],
};

impl RunConfig {
    /// Reads the config at `path` under its `key=value` overrides.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        Ok(Self::read_with_document(path, overrides)?.0)
    }

    /// As [`RunConfig::read`], with the document, which knows where each value comes from.
    pub fn read_with_document(
        path: &Path,
        overrides: &[String],
    ) -> Result<(Self, Document), ConfigError> {
        let document = Document::read(path, overrides, RULES)?;
        Ok((Self::from_document(&document)?, document))
    }

    /// The config that `text` is, to stand in the file at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::from_document(&Document::parse(path, text, &[], RULES)?)
    }

    fn from_document(document: &Document) -> Result<Self, ConfigError> {
        document.checked(&SCHEMA, Self::check)
    }

    /// The number of trained and fitted parameters for examples of `shape` in so many `classes`;
    /// `None` if it overflows.
    pub fn parameters(&self, shape: [usize; 3], classes: usize) -> Option<usize> {
        let [.., channels] = shape;
        let outputs = self.objective.head(classes).outputs(classes);
        // One shift and one scale a channel.
        self.model.parameters(shape, outputs)?.checked_add(2 * channels)
    }

    /// How many numbers a training step holds for each example of `shape` in so many `classes`;
    /// `None` if it overflows.
    pub fn activations(&self, shape: [usize; 3], classes: usize) -> Option<usize> {
        self.model.activations(shape, self.objective.head(classes).outputs(classes))
    }

    /// Fails if this cannot be trained on `data`.
    pub fn check_against(&self, data: &Split) -> Result<(), RunError> {
        self.objective.init(data.classes.len())?;
        Augmentation::check_against(&self.augmentation, &data.train)?;
        if let Some(reason) = self.model.objection(data.train.shape) {
            return Err(RunError::Unsuited { shape: data.train.shape, reason });
        }
        let (count, batch_size) = (data.train.len(), self.training.batch_size(data.train.len()));
        if self.model.has_batch_norm() && (batch_size == 1 || count % batch_size == 1) {
            return Err(RunError::BatchOfOne { count, batch_size });
        }
        Ok(())
    }

    fn check(&self, check: &mut Check) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let named = !self.name.is_empty() && self.name.len() <= 64 && self.name.chars().all(plain);
        check.require("name", named, "a name is 1 to 64 letters, digits, `-` or `_`");
        let largest = self.model.largest_seed();
        check.require(
            "seed",
            self.seed <= largest,
            format_args!(
                "seeds end at {largest}, those of `generator = \"numpy\"` at {}",
                u32::MAX
            ),
        );

        let (has_validation, has_test) = (self.dataset.has_validation(), self.dataset.has_test());
        check.table("dataset", |check| self.dataset.check(check));
        check.table("split", |check| self.split.check(has_validation, has_test, check));
        Augmentation::check_all(&self.augmentation, check);
        check.table("model", |check| self.model.check(check));
        check.table("objective", |check| self.objective.check(check));
        check.table("optimizer", |check| self.optimizer.check(check));
        check.table("schedule", |check| self.schedule.check(self.training.epochs, check));
        let validates = has_validation || self.split.validation_fraction > 0.0;
        check.table("training", |check| self.training.check(validates, check));
        if let Some(reference) = &self.reference {
            check.table("reference", |check| reference.check(check));
        }
    }
}

impl TrainingConfig {
    /// The number of examples of a batch out of `count` examples.
    pub fn batch_size(&self, count: usize) -> usize {
        self.batch_size.unwrap_or(count).min(count)
    }

    /// The number of steps of an epoch over `count` examples.
    pub fn steps(&self, count: usize) -> usize {
        count.div_ceil(self.step_examples(count))
    }

    /// The number of examples of a step out of `count` examples.
    pub fn step_examples(&self, count: usize) -> usize {
        self.batch_size(count).saturating_mul(self.accumulation).min(count)
    }

    /// Whether `epoch` is one to report.
    pub fn reports(&self, epoch: usize) -> bool {
        epoch.is_multiple_of(self.report_every_epochs) || epoch == self.epochs
    }

    fn check(&self, validates: bool, check: &mut Check) {
        check.require(
            "early_stopping",
            validates || self.early_stopping.is_none(),
            "there is no validation set to stop by: set `split.validation_fraction`",
        );
    }
}
