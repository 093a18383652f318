//! A config that was accepted is also run: prepared, started, and stopped after its first step.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dataset::DatasetConfig;
use training::{Plan, RunConfig, RunError, Stop, Ui, caught};

use super::memory::Peak;

/// The most examples that are drawn: to draw more takes long, but is nothing else.
const MOST_EXAMPLES: usize = 10_000;

/// What a run of a few small examples may take.
const LONGEST: Duration = Duration::from_secs(20);
const MOST_MEMORY: usize = 1 << 30;

/// Runs `config` in the directory `run`, unless it draws too much. Fails if that panics, or takes
/// far more time or memory than so little data can need; an error is an answer.
pub fn run(config: &RunConfig, run: &Path) -> Result<(), String> {
    if examples(&config.dataset) > MOST_EXAMPLES {
        return Ok(());
    }
    let (started, peak) = (Instant::now(), Peak::start().map_err(|error| error.to_string())?);
    let outcome = caught(|| first_step(config, run));
    let (took, memory) = (started.elapsed(), peak.bytes().map_err(|error| error.to_string())?);
    fs::remove_dir_all(run).ok();
    match outcome {
        // A run reports a panic of its steps as an error.
        Err(_) | Ok(Err(RunError::BrokeOff { .. })) => Err("a panic when it was run".to_owned()),
        Ok(_) if took > LONGEST => Err(format!("its first step took {} s", took.as_secs())),
        Ok(_) if memory > MOST_MEMORY => Err(format!("its first step took {} MiB", memory >> 20)),
        Ok(_) => Ok(()),
    }
}

fn examples(dataset: &DatasetConfig) -> usize {
    match dataset {
        DatasetConfig::Hdf5(config) => config.stand_in.train + config.stand_in.test,
        DatasetConfig::Points(config) => config.train + config.test,
        DatasetConfig::StandIn(config) => config.train + config.test,
    }
}

fn first_step(config: &RunConfig, run: &Path) -> Result<(), RunError> {
    let stop = Box::new(|| Some(Stop::Interrupted));
    Plan::prepare(config, None, None)?.start(Some(run))?.fit(Ui::silent(stop)).map(drop)
}
