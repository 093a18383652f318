//! Trains image classifiers on Burn.
//!
//! [`Predictor`] predicts; all that trains is behind the feature `train`.
//!
//! [`RunConfig`] describes an experiment, [`Experiment`] has everything ready for it, [`Run`]
//! trains it in a run directory, and [`TrainedModel`] evaluates the result.
//!
//! The modules, in the order in which they depend on each other:
//!
//! - `device`, `error`, `fault_injection`: used by all others.
//! - `batch`: from examples in host memory to a batch on a device.
//! - `model`: a model with its normalisation and objective.
//! - `optim`: optimizers, schedules, gradient clipping, moving average.
//! - `config`: the config, composed of the configs of the parts.
//! - `trainer`: the training loop, its state and its checkpoints.
//! - `burn_adapter`: the loop inside burn-train, for its metrics and renderers.
//! - `inference`: scores and predictions of a trained model.
//! - `experiment`: everything that knows a whole config: experiments, runs, trained models.
//! - `diagnostics`: gradient check and learning rate range test.
//! - `distributed`: training by several processes.
//! - `runs`: lists and compares run directories.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "train"),
    allow(dead_code, unused_imports, reason = "the loop is compiled, but nothing starts it")
)]

mod batch;
#[cfg(feature = "train")]
mod burn_adapter;
mod config;
pub mod device;
#[cfg(feature = "train")]
mod diagnostics;
#[cfg(feature = "distributed")]
pub mod distributed;
mod error;
#[cfg(feature = "train")]
mod experiment;
mod fault_injection;
mod inference;
mod model;
mod optim;
#[cfg(test)]
#[cfg(feature = "train")]
mod properties;
#[cfg(feature = "train")]
pub mod runs;
mod trainer;

pub use batch::LoaderConfig;
#[cfg(feature = "train")]
pub use burn_adapter::NoopRenderer;
pub use config::{
    BestMetric, CheckpointConfig, DistributedConfig, EarlyStoppingConfig, EvaluationConfig,
    InputConfig, OnLoss, OnNan, ReferenceConfig, RunConfig, TrainingConfig, schema_of,
};
pub use device::DeviceError;
#[cfg(feature = "train")]
pub use diagnostics::{
    GradientCheck, GradientCheckOptions, GradientCheckPlan, InjectedBug, InjectedBugReport,
    LrRangeTest, TensorCheck,
};
pub use error::RunError;
#[cfg(feature = "train")]
pub use experiment::{
    Experiment, ExperimentBuilder, ModelSummary, OtherData, Outcome, Run, TrainedModel, Ui,
};
#[cfg(any(test, feature = "fault-injection"))]
pub use fault_injection::{Fault, Faults};
pub use inference::{ClassProbability, ModelOutput, Prediction, Predictor};
pub use model::{ClassWeights, Head, ObjectiveConfig};
pub use models::{
    CnnConfig, CustomModel, CustomModelConfig, DropoutRng, Layer, ModelConfig, ModelRegistry,
    Operation, ParameterInit, ResnetConfig,
};
pub use optim::{
    AdamConfig, AdamWConfig, CosineConfig, Decay, EmaConfig, ExponentialConfig, GradientClipping,
    InverseTimeConfig, MomentumConfig, OneCycleConfig, OptimizerConfig, RmsPropConfig,
    ScheduleConfig, SgdConfig, StepConfig,
};
pub use trainer::{
    Checkpoint, Checkpoints, EpochWatch, Stop, StopSource, TrainingState, WorkerCount,
};
