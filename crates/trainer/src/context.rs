//! Values that the entry point passes to the commands.

use std::fs;
use std::path::Path;

use ::config::Document;
use artifacts::RunDir;
use toml::Table;
use training::{Experiment, ModelRegistry, Predictor, RunConfig, RunError, TrainedModel};

use crate::commands::{RUNS_DIR, config_or_run, find_run};
use crate::error::Failure;
use crate::logging::RunLog;

/// The commit that this program was built from.
pub const COMMIT: Option<&str> = option_env!("TRAINER_COMMIT");

/// The registered models and the log of the run.
pub struct Context<'a> {
    /// Models that configs can use in addition to the built-in ones.
    pub models: &'a ModelRegistry,
    /// Log file of the run, attached once its directory is known.
    pub log: RunLog,
}

impl Context<'_> {
    /// Reads a config, or that of a run; an invalid one is a usage error.
    pub fn read_config(&self, path: &Path, overrides: &[String]) -> Result<RunConfig, Failure> {
        Ok(self.read_document(path, overrides)?.0)
    }

    /// As [`Context::read_config`], with the document, which knows the origin of each value.
    pub fn read_document(
        &self,
        path: &Path,
        overrides: &[String],
    ) -> Result<(RunConfig, Document), Failure> {
        // The config of a run.
        let config = path.join("config.toml");
        let config = if config.is_file() { &config } else { path };
        RunConfig::read_with_document(config, overrides, self.models).map_err(|error| {
            if !has_key(path, &["config"]) {
                return error.into();
            }
            let path = path.display();
            Failure::usage(format!(
                "{path} is a sweep, not a config\n  run it: trainer sweep {path}"
            ))
        })
    }

    /// Loads the data of a config and selects a device, before anything is written.
    pub fn prepare(
        &self,
        config: &RunConfig,
        device: Option<&str>,
    ) -> Result<Experiment, RunError> {
        let init_from =
            config.init_from.as_deref().map(|path| config_or_run(path, Path::new(RUNS_DIR)));
        let config = RunConfig { init_from, ..config.clone() };
        Experiment::prepare(&config, device, COMMIT)
    }

    /// Opens a model that predicts: the file at `path`, or the best model of the run with this name
    /// in `runs`, or at this path.
    pub fn predictor(
        &self,
        runs: &Path,
        path: &Path,
        device: Option<&str>,
    ) -> Result<Predictor, Failure> {
        if path.is_file() {
            return Ok(Predictor::open(path, device, self.models)?);
        }
        Ok(self.open(&find_run(runs, path)?, device)?.into_predictor())
    }

    /// Opens the best model of a run.
    pub fn open(&self, run: &Path, device: Option<&str>) -> Result<TrainedModel, RunError> {
        let run = RunDir::open(run)?.model_run();
        TrainedModel::open(run.path(), device, self.models)
    }
}

/// Whether the file at `path` is TOML with one of `keys`.
pub fn has_key(path: &Path, keys: &[&str]) -> bool {
    let table = fs::read_to_string(path).ok().and_then(|text| text.parse::<Table>().ok());
    table.is_some_and(|table| keys.iter().any(|key| table.contains_key(*key)))
}
