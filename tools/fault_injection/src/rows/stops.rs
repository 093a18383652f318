//! Row 1: a stop on request after each step in turn, and a resume, end with the bits of a run that
//! was never stopped: weights, optimiser, schedule, metrics, best epoch and early stopping.

use std::error::Error;
use std::path::Path;

use training::RunDir;

use crate::Campaign;
use crate::bits::Bits;
use crate::experiment::{Experiment, KEPT, STEPS_PER_EPOCH, fit};
use crate::tally::{Outcome, Tally};

/// Each processor backend of this build, every step.
pub fn run(campaign: &Campaign) -> Outcome {
    let epochs = campaign.either(10, 75);
    let overrides = [format!("training.epochs={epochs}")];
    let mut tally = Tally::default();
    let mut devices = Vec::new();
    for device in training::processors() {
        tally.add(on_device(&device.name, &overrides, epochs * STEPS_PER_EPOCH)?);
        devices.push(device.name);
    }
    tally.note = format!("every step of {}, on {}", epochs * STEPS_PER_EPOCH, devices.join(", "));
    Ok(tally)
}

fn on_device(device: &str, overrides: &[String], steps: usize) -> Outcome {
    let experiment = Experiment::new()?;
    let whole = experiment.path("whole");
    fit(experiment.plan(device, overrides)?.start(Some(&whole))?, None)?;
    let whole = Bits::of(&whole, KEPT)?;
    let mut tally = Tally::default();
    for step in 1..=steps {
        let stopped = experiment.path(format!("stopped-{step}"));
        let outcome = stop_and_resume(&experiment, device, overrides, &stopped, step)
            .map_err(|error| error.to_string())
            .and_then(|bits| bits.must_equal(&whole));
        tally.count(outcome.map_err(|reason| format!("{device}, step {step}: {reason}")));
        std::fs::remove_dir_all(&stopped)?;
    }
    Ok(tally)
}

fn stop_and_resume(
    experiment: &Experiment,
    device: &str,
    overrides: &[String],
    directory: &Path,
    step: usize,
) -> Result<Bits, Box<dyn Error>> {
    fit(experiment.plan(device, overrides)?.start(Some(directory))?, Some(step))?;
    let run = experiment.plan(device, overrides)?.resume(RunDir::open(directory)?)?;
    fit(run, None)?;
    Bits::of(directory, KEPT)
}
