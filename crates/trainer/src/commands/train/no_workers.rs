//! The workers of a run, in a build without the Cargo feature `distributed`.

use clap::Args;
use training::{Experiment, Run, RunConfig};

use crate::error::Failure;

#[derive(Debug, Default, PartialEq, Args)]
pub struct WorkerOptions;

impl WorkerOptions {
    pub fn set_in(&self, _config: &mut RunConfig) {}
}

/// No workers.
pub struct Connected;

impl Connected {
    /// Fails if the experiment has workers.
    pub fn connect(experiment: &Experiment) -> Result<Self, Failure> {
        if experiment.distributed().workers.is_empty() {
            return Ok(Self);
        }
        Err(Failure::usage(
            "this build cannot train by workers\n  build with the Cargo feature `distributed`, or remove `distributed.workers` from the config",
        ))
    }

    pub fn train(self, _run: &mut Run, header: String) -> String {
        header
    }
}
