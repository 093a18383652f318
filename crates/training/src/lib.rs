//! One run, assembled: config, device, objective, optimiser, loop, checkpoint, run directory.
//!
//! [`RunConfig`] says what to do, [`Plan`] has everything ready to do it, and
//! [`Trained`] is what a run directory makes possible afterwards.

mod checkpoint;
mod config;
mod device;
mod environment;
mod error;
mod evaluation;
mod events;
mod fit;
mod metrics;
mod objective;
mod optimizer;
mod plan;
mod prediction;
mod resume;
mod run_dir;
mod schedule;
mod session;
mod state;
mod trained;

pub use checkpoint::CheckpointConfig;
pub use config::{InputConfig, RunConfig, TrainingConfig};
pub use device::{Chosen, DeviceError, Listed, choose, list};
pub use environment::DataIdentity;
pub use error::RunError;
pub use evaluation::{ClassScore, Evaluation, SplitName};
pub use optimizer::{AdamConfig, OptimizerConfig};
pub use plan::{Outcome, Plan, Run, Summary, Ui};
pub use prediction::{ClassProbability, Prediction};
pub use run_dir::RunDir;
pub use schedule::{CosineConfig, ScheduleConfig};
pub use session::{EarlyStoppingConfig, Stop, StopSource};
pub use state::Best;
pub use trained::Trained;
