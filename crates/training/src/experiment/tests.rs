//! Whole runs of a small experiment.

mod checkpoints;
mod fine_tuned;
mod measured;
mod planned;
mod readback;
mod rollback;

use std::fs;
use std::path::Path;

use artifacts::RunDir;

use crate::{Experiment, Outcome, RunConfig, Stop, Ui};

fn prepare(config: &RunConfig) -> Experiment {
    Experiment::prepare(config, None, None).unwrap()
}

/// Trains a new run, or resumes it, for at most `steps` steps.
fn train(directory: &Path, config: &RunConfig, mut steps: usize) -> Outcome {
    let experiment = prepare(config);
    let mut run = if directory.exists() {
        experiment.resume(RunDir::open(directory).unwrap()).unwrap()
    } else {
        experiment.start_at(directory).unwrap()
    };
    let stop = move || {
        steps -= 1;
        (steps == 0).then_some(Stop::Interrupted)
    };
    run.train(Ui::silent(Box::new(stop))).unwrap()
}

/// Metrics and model of a finished run.
fn results(directory: &Path) -> [Vec<u8>; 2] {
    ["metrics.jsonl", "best_model.bpk"].map(|name| fs::read(directory.join(name)).unwrap())
}
