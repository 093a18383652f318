//! Runs an accepted config to its first step.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use data_sources::DatasetConfig;
use support::panics;
use training::{Experiment, RunConfig, RunError, Stop, Ui};

use crate::process::PeakMemory;

/// Largest number of synthetic examples, and of pixels of an image: more take long to prepare and
/// test nothing else.
const MAX_EXAMPLES: usize = 10_000;
const MAX_PIXELS: usize = 1 << 22;

/// Limits for one step on a few small examples.
const TIME_LIMIT: Duration = Duration::from_secs(20);
const MEMORY_LIMIT_MIB: u64 = 1 << 10;

/// Runs `config` in the directory `run`, unless it has too many synthetic examples or too large
/// images. Fails if that panics or exceeds the limits; an error is accepted.
pub fn run(config: &RunConfig, run: &Path) -> Result<(), String> {
    if synthetic_examples(&config.dataset) > MAX_EXAMPLES || pixels(&config.dataset) > MAX_PIXELS {
        return Ok(());
    }
    let (started, peak) = (Instant::now(), PeakMemory::start().map_err(|error| error.to_string())?);
    let result = panics::catch(|| first_step(config, run));
    let (time, memory) = (started.elapsed(), peak.mebibytes());
    fs::remove_dir_all(run).ok();
    match result {
        // A run reports a panic of its steps as an error.
        Err(_) | Ok(Err(RunError::Panicked { .. })) => Err("a panic in the first step".to_owned()),
        Ok(_) if time > TIME_LIMIT => Err(format!("the first step took {} s", time.as_secs())),
        Ok(_) if memory > MEMORY_LIMIT_MIB => Err(format!("the first step took {memory} MiB")),
        Ok(_) => Ok(()),
    }
}

fn synthetic_examples(dataset: &DatasetConfig) -> usize {
    match dataset {
        DatasetConfig::Hdf5(config) => config.synthetic.train + config.synthetic.test,
        DatasetConfig::Points(config) => config.train + config.test,
        DatasetConfig::Synthetic(config) => config.train + config.test,
        DatasetConfig::Folder(_) | DatasetConfig::External(_) => 0,
    }
}

/// Pixels of an image after resizing; 0 without.
fn pixels(dataset: &DatasetConfig) -> usize {
    let size = match dataset {
        DatasetConfig::Folder(config) => Some(config.size),
        DatasetConfig::Hdf5(config) => config.size,
        _ => None,
    };
    size.map_or(0, |size| size.height * size.width)
}

fn first_step(config: &RunConfig, run: &Path) -> Result<(), RunError> {
    let stop = Box::new(|| Some(Stop::Interrupted));
    Experiment::prepare(config, None, None)?.start_at(run)?.train(Ui::silent(stop)).map(drop)
}
