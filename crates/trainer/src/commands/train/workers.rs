//! The workers of a run: `--workers`.

use std::path::{Path, PathBuf};

use clap::Args;
use training::distributed::{PoolOptions, WorkerAddress, WorkerPool};
use training::{DistributedConfig, Experiment, Run, RunConfig};

use crate::commands::worker;
use crate::context::COMMIT;
use crate::error::Failure;
use crate::{style, text};

#[derive(Debug, Default, PartialEq, Args)]
pub struct WorkerOptions {
    /// Train by other processes, with the same result: local:2 starts two on this machine. Also the
    /// addresses of `trainer worker`, with commas, or a file with one in each line
    #[arg(long, value_name = "WORKERS", conflicts_with = "fast_dev_run")]
    workers: Vec<String>,
    /// File with the secret that workers which run already ask for
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl WorkerOptions {
    /// Replaces the workers of `config`, if some are given.
    pub fn set_in(&self, config: &mut RunConfig) {
        if !self.workers.is_empty() {
            config.distributed.workers.clone_from(&self.workers);
        }
        if self.token_file.is_some() {
            config.distributed.token_file.clone_from(&self.token_file);
        }
    }
}

/// The workers of a run, if it has some, and their description.
pub struct Connected(Option<(WorkerPool, String)>);

impl Connected {
    /// Connects the workers of an experiment.
    pub fn connect(experiment: &Experiment) -> Result<Self, Failure> {
        connect(experiment).map(Self)
    }

    /// Lets the workers train `run`. Returns its `header` with their description.
    pub fn train(self, run: &mut Run, header: String) -> String {
        let Some((workers, description)) = self.0 else { return header };
        run.set_workers(workers);
        format!("{header}\n{description}")
    }
}

fn connect(experiment: &Experiment) -> Result<Option<(WorkerPool, String)>, Failure> {
    let config = experiment.distributed();
    if config.workers.is_empty() {
        return Ok(None);
    }
    let addresses = addresses(config)?;
    let remote = addresses.iter().find(|it| !matches!(it, WorkerAddress::Local { .. }));
    let token = match (&config.token_file, remote) {
        (Some(path), _) => worker::token(path)?,
        (None, None) => String::new(),
        (None, Some(address)) => {
            return Err(Failure::usage(format!(
                "the worker {address} asks for its token\n  name its file: --token-file"
            )));
        }
    };
    if config.minimum > addresses.len() {
        return Err(Failure::usage(format!(
            "`distributed.minimum` is {}, and there are {} workers",
            config.minimum,
            addresses.len()
        )));
    }
    let description = description(experiment, addresses.len());
    let options = PoolOptions {
        addresses,
        token,
        local_token: format!("{:032x}", rand::random::<u128>()),
        program: std::env::current_exe()?,
        commit: COMMIT.map(str::to_owned),
    };
    Ok(Some((WorkerPool::start(experiment, options)?, description)))
}

/// The addresses of all workers; a value that is a file has one in each line.
fn addresses(config: &DistributedConfig) -> Result<Vec<WorkerAddress>, Failure> {
    let mut addresses = Vec::new();
    for value in &config.workers {
        let path = Path::new(value);
        let text = if path.is_file() {
            std::fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!("{} cannot be read: {error}", text::path(path)))
            })?
        } else {
            value.clone()
        };
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        for line in lines.filter(|line| !line.is_empty()) {
            addresses.extend(WorkerAddress::parse_all(line).map_err(Failure::usage)?);
        }
    }
    Ok(addresses)
}

fn description(experiment: &Experiment, workers: usize) -> String {
    let training = &experiment.config().training;
    let batch = training.batch_size(experiment.data().train.len());
    let parts = training.accumulation;
    let steps = match parts {
        1 => format!("each step is 1 batch of {batch}"),
        parts => format!("each step is {parts} batches of {batch}"),
    };
    let names = if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
    let idle = if workers > parts {
        format!(
            "\n{}",
            style::doubtful(&format!(
                "{} of them have nothing to do: set training.accumulation to {workers} for smaller parts of larger steps",
                workers - parts
            ))
        )
    } else {
        String::new()
    };
    format!("{names}; {steps}{idle}")
}
