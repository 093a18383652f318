//! Scenario 1: a run that is stopped on request after any step and resumed ends with the bits of
//! an uninterrupted run: weights, optimizer, schedule, metrics, best epoch and early stopping.

use super::injected::Undisturbed;
use crate::Settings;
use crate::fixture::{Fixture, STEPS_PER_EPOCH};
use crate::tally::{ScenarioResult, Tally};

/// Stops after every step, on each processor backend of this build.
pub fn run(settings: &Settings) -> ScenarioResult {
    let epochs = settings.choose(10, 75);
    let (steps, overrides) = (epochs * STEPS_PER_EPOCH, [format!("training.epochs={epochs}")]);
    let fixture = Fixture::new()?;
    let devices = training::device::processors();
    let devices: Vec<_> = devices.into_iter().map(|device| device.name).collect();
    let mut tally = Tally::default();
    for device in &devices {
        let undisturbed = Undisturbed::new(&fixture, device, &overrides)?;
        for step in 1..=steps {
            let result = undisturbed.stop_then_resume(step);
            tally.record(format_args!("{device}, step {step}"), result);
        }
    }
    tally.note = format!("each of {steps} steps, on {}", devices.join(", "));
    Ok(tally)
}
