use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::ReproduceArgs;
use crate::error::Failure;

/// What is to be run, kept in `reproduce.json` so that a stopped call can be continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The names of experiments or courses; all if there is none.
    pub names: Vec<String>,
    /// The directory of the configs, absolute.
    pub configs: PathBuf,
    /// The number of seeds of each experiment.
    pub seeds: u64,
    /// Overrides of every config.
    pub overrides: Vec<String>,
    /// Where to run.
    pub device: Option<String>,
}

const FILE: &str = "reproduce.json";

impl Order {
    /// What `args` ask for.
    pub fn of(args: &ReproduceArgs) -> Self {
        Self {
            names: args.names.clone(),
            configs: std::path::absolute(&args.configs).unwrap_or_else(|_| args.configs.clone()),
            seeds: args.seeds,
            overrides: args.overrides.clone(),
            device: args.device.clone(),
        }
    }

    /// What an earlier call was asked for that left `directory`.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE);
        let refused = |reason: String| {
            Failure::usage(format!(
                "cannot continue in {}: {}: {reason}\n  name the directory of an earlier `trainer reproduce`",
                directory.display(),
                path.display()
            ))
        };
        let bytes = fs::read(&path).map_err(|error| refused(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
    }

    /// Writes it into `directory`.
    pub fn save(&self, directory: &Path) -> Result<(), Failure> {
        Ok(training::write_json(&directory.join(FILE), self)?)
    }
}
