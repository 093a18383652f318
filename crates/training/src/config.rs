//! The config of a run: composed of the configs of its parts.

mod batch_size;
mod distributed;
mod flatten;
mod reference;
mod schema;
mod training;

use std::path::{Path, PathBuf};

use ::config::{Check, ConfigError, Document, Rules};
use data::{Augmentation, Split, SplitConfig};
use data_sources::DatasetConfig;
use models::{ModelConfig, ModelRegistry};
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::model::ObjectiveConfig;
pub use crate::optim::ScheduleConfig;
use crate::optim::{FineTuningConfig, OptimizerConfig};
pub use data::InputConfig;

pub use batch_size::BatchSize;
pub use distributed::{DistributedConfig, OnLoss};
pub use flatten::{Difference, FlatConfig, differences, flatten};
pub use reference::ReferenceConfig;
pub use schema::schema_of;
pub use training::{
    BestMetric, CheckpointConfig, EarlyStoppingConfig, OnNan, PlannedSteps, TrainingConfig,
};

/// The config of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Name of the experiment. Its runs are `runs/<name>`, `runs/<name>-2`, ..
    pub name: String,
    /// Seed of all random numbers of the run.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Device, for example `flex` or `wgpu:0`; the best device of the build if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Start from the weights of another model instead of random ones: the directory of a run or of
    /// a checkpoint, or a file: `best_model.bpk`, safetensors or PyTorch's `.pth` with the names of
    /// `trainer export`, torchvision or timm. The model must be the same but for its
    /// last layer, which starts anew if the number of classes is another one. The normalization of the
    /// inputs is that of the loaded weights, if they have one, not `input.normalization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// How the weights of `init_from` are trained; if absent, like random ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fine_tuning: Option<FineTuningConfig>,
    /// Source of the examples.
    pub dataset: DatasetConfig,
    /// Parts of the training set that are held out.
    #[serde(default)]
    pub split: SplitConfig,
    /// Preprocessing of the inputs.
    #[serde(default)]
    pub input: InputConfig,
    /// Random changes of training images, applied in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub augmentation: Vec<Augmentation>,
    /// The model.
    pub model: ModelConfig,
    /// Loss and penalties.
    #[serde(default)]
    pub objective: ObjectiveConfig,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// Learning rate schedule.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// Duration, batches and checkpoints.
    pub training: TrainingConfig,
    /// Inference of the model.
    #[serde(default)]
    pub evaluation: EvaluationConfig,
    /// Training by several processes.
    #[serde(default, skip_serializing_if = "DistributedConfig::is_default")]
    pub distributed: DistributedConfig,
    /// Published results of the experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceConfig>,
}

/// Inference in validation, evaluation and prediction: `[evaluation]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Averages the logits of each image and its horizontal mirror image.
    pub mirrored: bool,
}

fn default_seed() -> u64 {
    1
}

/// Rules for a config that extends another.
const RULES: Rules = Rules {
    choices: &["dataset", "model", "optimizer", "schedule.decay", "training.gradient_clipping"],
    not_inherited: &["reference"],
};

impl RunConfig {
    /// Reads the config at `path`, whose model is built in, with `key=value` overrides.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        Self::read_with_models(path, overrides, &ModelRegistry::new())
    }

    /// Reads the config at `path`, whose model is built in or in `models`, with `key=value`
    /// overrides.
    pub fn read_with_models(
        path: &Path,
        overrides: &[String],
        models: &ModelRegistry,
    ) -> Result<Self, ConfigError> {
        Ok(Self::read_with_document(path, overrides, models)?.0)
    }

    /// Like [`RunConfig::read_with_models`], with the document, which knows the origin of each
    /// value.
    pub fn read_with_document(
        path: &Path,
        overrides: &[String],
        models: &ModelRegistry,
    ) -> Result<(Self, Document), ConfigError> {
        let document = Document::read(path, overrides, RULES)?;
        Ok((Self::from_document(&document, models)?, document))
    }

    /// Parses `text`, the content of the file at `path`, with `key=value` overrides.
    pub fn parse(
        path: &Path,
        text: &str,
        overrides: &[String],
        models: &ModelRegistry,
    ) -> Result<Self, ConfigError> {
        Self::from_document(&Document::parse(path, text, overrides, RULES)?, models)
    }

    fn from_document(document: &Document, models: &ModelRegistry) -> Result<Self, ConfigError> {
        let schema = schema::cached(models);
        let mut config: Self =
            document.checked(&schema, |config: &Self, check| config.check(models, check))?;
        if let ModelConfig::Custom(model) = &config.model
            && let Ok(model) = models.resolve(model)
        {
            config.model = ModelConfig::Custom(model);
        }
        Ok(config)
    }

    /// Number of trained and fitted parameters for examples of `shape` in `classes` classes; `None`
    /// if it overflows.
    pub fn parameters(&self, shape: [usize; 3], classes: usize) -> Option<usize> {
        let [.., channels] = shape;
        // The normaliser has one shift and one scale per channel.
        self.model.parameter_count(shape, self.outputs(classes))?.checked_add(2 * channels)
    }

    /// Number of logits for `classes` classes.
    pub fn outputs(&self, classes: usize) -> usize {
        self.objective.outputs(classes)
    }

    /// Fails if the model cannot be trained on `data`.
    pub fn check_against(&self, data: &Split) -> Result<(), RunError> {
        self.objective.init(data.classes.len())?;
        self.input.check_against(&data.train)?;
        Augmentation::check_against(&self.augmentation, &data.train)?;
        self.check_shape(data.train.shape)?;
        self.check_batches(data.train.len())?;
        match &data.validation {
            Some(validation) if self.training.final_fit => {
                self.check_batches(data.train.len() + validation.len())
            }
            _ => Ok(()),
        }
    }

    /// Fails if the model does not accept examples of `shape`.
    pub fn check_shape(&self, shape: [usize; 3]) -> Result<(), RunError> {
        let Some(reason) = self.model.incompatibility(shape) else { return Ok(()) };
        let [height, width, channels] = shape;
        Err(RunError::Usage(format!(
            "the model is incompatible with examples of {height} x {width} x {channels} (height x width x channels): {reason}\n  choose another model, for example `[model.mlp]`, or other data"
        )))
    }

    /// Fails if a batch of a training set of `count` examples has a single example, which batch norm
    /// cannot normalize.
    fn check_batches(&self, count: usize) -> Result<(), RunError> {
        let batch_size = self.training.batch_size(count);
        if self.model.has_batch_norm() && (batch_size == 1 || count % batch_size == 1) {
            return Err(RunError::Usage(format!(
                "{count} training examples in batches of {batch_size} leave a batch of one example, for which batch norm is undefined\n  change `training.batch_size`, or remove the batch norm"
            )));
        }
        Ok(())
    }

    fn check(&self, models: &ModelRegistry, check: &mut Check) {
        check.require("name", is_valid_name(&self.name), "use 1 to 64 letters, digits, `-` or `_`");
        let largest = self.model.max_seed();
        check.require(
            "seed",
            self.seed <= largest,
            format_args!("the maximum is {largest}, with `generator = \"numpy\"` {}", u32::MAX),
        );

        let (has_validation, has_test) = (self.dataset.has_validation(), self.dataset.has_test());
        check.table("dataset", |check| self.dataset.check(check));
        check.table("split", |check| self.split.check(has_validation, has_test, check));
        check.table("input", |check| self.input.check(check));
        Augmentation::check_all(&self.augmentation, check);
        check.table("model", |check| check_model(&self.model, models, check));
        if let Some(fine_tuning) = &self.fine_tuning {
            let message = "there are no weights to fine-tune: set `init_from`";
            check.require("fine_tuning", self.init_from.is_some(), message);
            check.table("fine_tuning", |check| fine_tuning.check(&self.model, check));
        }
        check.table("objective", |check| self.objective.check(check));
        check.table("optimizer", |check| self.optimizer.check(check));
        check.table("schedule", |check| self.schedule.check(check));
        let validates = (has_validation || self.split.validation_fraction > 0.0)
            && !self.split.train_on_validation;
        check.table("training", |check| self.training.check(validates, check));
        let tests = has_test || self.split.test_fraction > 0.0;
        if let Some(reference) = &self.reference {
            check.table("reference", |check| reference.check(tests, check));
        }
    }
}

/// Reports invalid values of the model. A custom model is parsed here: serde does not know its
/// type.
fn check_model(model: &ModelConfig, models: &ModelRegistry, check: &mut Check) {
    let ModelConfig::Custom(custom) = model else { return model.check(check) };
    match models.resolve(custom) {
        Ok(resolved) if resolved.is_registered() => resolved.check(check),
        Ok(_) => {
            let known: Vec<_> =
                ModelConfig::BUILT_IN.iter().copied().chain(models.names()).collect();
            let message = ::config::unknown_name("choice", custom.name(), &known);
            check.require(custom.name(), false, message);
        }
        Err(message) => check.require(custom.name(), false, ::config::explain(&message)),
    }
}

fn is_valid_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}
