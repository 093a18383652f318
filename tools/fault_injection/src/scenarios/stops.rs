//! Scenario 1: a run that is stopped on request after any step and resumed ends with the bits of
//! an uninterrupted run: weights, optimizer, schedule, metrics, best epoch and early stopping.

use std::path::Path;

use artifacts::RunDir;

use super::injected;
use crate::Settings;
use crate::fixture::{Fixture, KEEP_LAST, STEPS_PER_EPOCH, train};
use crate::snapshot::Snapshot;
use crate::tally::{CaseResult, ScenarioResult, Tally};

/// Stops after every step, on each processor backend of this build.
pub fn run(settings: &Settings) -> ScenarioResult {
    let epochs = settings.choose(10, 75);
    let overrides = [format!("training.epochs={epochs}")];
    let mut tally = Tally::default();
    let mut devices = Vec::new();
    for device in training::device::processors() {
        tally.merge(on_device(&device.name, &overrides, epochs * STEPS_PER_EPOCH)?);
        devices.push(device.name);
    }
    tally.note = format!("each of {} steps, on {}", epochs * STEPS_PER_EPOCH, devices.join(", "));
    Ok(tally)
}

fn on_device(device: &str, overrides: &[String], steps: usize) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let reference = injected::reference(&fixture, device, overrides)?;
    let mut tally = Tally::default();
    for step in 1..=steps {
        let directory = fixture.path(format!("stopped-{step}"));
        let result = stop_and_resume(&fixture, device, overrides, &directory, step)
            .and_then(|snapshot| snapshot.require_equal(&reference));
        tally.record(format_args!("{device}, step {step}"), result);
        std::fs::remove_dir_all(&directory)?;
    }
    Ok(tally)
}

fn stop_and_resume(
    fixture: &Fixture,
    device: &str,
    overrides: &[String],
    directory: &Path,
    step: usize,
) -> CaseResult<Snapshot> {
    train(fixture.experiment(device, overrides)?.start_at(directory)?, Some(step))?;
    train(fixture.experiment(device, overrides)?.resume(RunDir::open(directory)?)?, None)?;
    Snapshot::read(directory, KEEP_LAST)
}
