use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::ReproduceArgs;
use crate::error::Failure;

/// Options of a call, saved in `reproduce.json` so that a later call can continue it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReproduceSpec {
    /// Names of experiments or courses; empty for all.
    pub names: Vec<String>,
    /// Absolute directory of the configs.
    pub configs: PathBuf,
    /// Number of seeds per experiment.
    pub seeds: u64,
    /// Overrides of every config.
    pub overrides: Vec<String>,
    /// Device, if not that of each config.
    pub device: Option<String>,
}

const FILE: &str = "reproduce.json";

impl ReproduceSpec {
    /// Options of a new call.
    pub fn new(args: &ReproduceArgs) -> Self {
        Self {
            names: args.names.clone(),
            configs: std::path::absolute(&args.configs).unwrap_or_else(|_| args.configs.clone()),
            seeds: args.seeds,
            overrides: args.set.overrides.clone(),
            device: args.device.clone(),
        }
    }

    /// Reads the options of an earlier call from its `directory`.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE);
        let bytes = fs::read(&path).map_err(|error| unreadable(directory, &path, &error))?;
        serde_json::from_slice(&bytes).map_err(|error| unreadable(directory, &path, &error))
    }

    /// Writes the options to `directory`.
    pub fn save(&self, directory: &Path) -> Result<(), Failure> {
        Ok(artifacts::write_json(&directory.join(FILE), self)?)
    }
}

fn unreadable(directory: &Path, path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::usage(format!(
        "cannot continue in {}: {}: {error}\n  name the directory of an earlier `trainer reproduce`",
        directory.display(),
        path.display()
    ))
}
