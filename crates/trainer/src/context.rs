//! Values that the entry point passes to the commands.

use std::path::{Path, PathBuf};

use training::{Experiment, ModelRegistry, RunConfig, RunError, TrainedModel};

use crate::commands::RUNS_DIR;
use crate::error::Failure;
use crate::logging::RunLog;

/// The registered models and the log of the run.
pub struct Context<'a> {
    /// Models that configs can use in addition to the built-in ones.
    pub models: &'a ModelRegistry,
    /// Log file of the run, attached once its directory is known.
    pub log: RunLog,
}

impl Context<'_> {
    /// Reads a config; an invalid one is a usage error.
    pub fn read_config(&self, path: &Path, overrides: &[String]) -> Result<RunConfig, Failure> {
        RunConfig::read_with_models(path, overrides, self.models)
            .map_err(|error| Failure::usage(format!("{error:#}")))
    }

    /// Loads the data of a config and selects a device, before anything is written.
    pub fn prepare(
        &self,
        config: &RunConfig,
        device: Option<&str>,
    ) -> Result<Experiment, RunError> {
        let init_from = config.init_from.as_deref().map(in_runs);
        let config = RunConfig { init_from, ..config.clone() };
        Experiment::prepare(&config, device, option_env!("TRAINER_COMMIT"))
    }

    /// Opens the best model of a run.
    pub fn open(&self, run: &Path, device: Option<&str>) -> Result<TrainedModel, RunError> {
        TrainedModel::open(run, device, self.models)
    }
}

/// A run by its path, or by its name in the default directory of runs.
fn in_runs(run: &Path) -> PathBuf {
    let named = Path::new(RUNS_DIR).join(run);
    if !run.exists() && named.exists() { named } else { run.to_owned() }
}
