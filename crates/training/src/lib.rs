//! One run, assembled: config, device, objective, optimiser, loop, checkpoint, run directory.
//!
//! [`RunConfig`] says what to do, [`Plan`] has everything ready to do it, and
//! [`Trained`] is what a run directory makes possible afterwards.

#![forbid(unsafe_code)]

mod average;
mod checkpoint;
mod classifier;
mod config;
mod device;
mod environment;
mod error;
mod estimate;
mod evaluation;
mod events;
mod faults;
mod findings;
mod finite;
mod fit;
mod gradient_check;
mod gradients;
mod keys;
mod leaks;
mod loader;
mod metrics;
mod model_summary;
mod objective;
mod optimizer;
mod panics;
mod plan;
mod plane;
mod prediction;
#[cfg(test)]
mod properties;
mod rate_search;
mod reference;
mod resume;
mod run_dir;
mod runs;
mod schedule;
mod schema;
mod scores;
mod session;
mod silent;
mod state;
mod tensorboard;
mod timings;
mod trained;

pub use checkpoint::{Checkpoint, CheckpointConfig, Checkpoints};
pub use config::{InputConfig, RunConfig, TrainingConfig};
pub use device::{Chosen, DeviceError, Listed, choose, list, processors};
pub use environment::{DataIdentity, Environment};
pub use error::RunError;
pub use evaluation::{ClassScore, Evaluation, SplitName};
pub use faults::{Fault, Faults};
pub use findings::{Bin, Findings, Shown};
pub use gradient_check::{GradientCheck, GradientCheckOptions, Plant, Planted, TensorCheck};
pub use gradients::GradientClipping;
pub use leaks::WithoutTwins;
pub use loader::LoaderConfig;
pub use metrics::validation_accuracies;
pub use model_summary::ModelSummary;
pub use models::Layer;
pub use objective::{ClassWeights, Head, ObjectiveConfig};
pub use optimizer::{
    AdamConfig, AdamWConfig, MomentumConfig, OptimizerConfig, RmsPropConfig, SgdConfig,
};
pub use panics::caught;
pub use plan::{Outcome, Plan, Run, Summary, Ui};
pub use plane::Plane;
pub use prediction::{ClassProbability, Prediction};
pub use rate_search::RateSearch;
pub use reference::ReferenceConfig;
pub use run_dir::{RunDir, RunFile, write_file, write_json};
pub use runs::{
    Comparison, Difference, RunEntry, RunRecord, RunStatus, Unreadable, best, list_runs,
};
pub use schedule::{
    CosineConfig, Decay, ExponentialConfig, InverseTimeConfig, ScheduleConfig, StepConfig,
};
pub use schema::schema_of;
pub use session::{EarlyStoppingConfig, OnNan, Stop, StopSource};
pub use silent::Silent;
pub use state::{Best, State};
pub use trained::Trained;
