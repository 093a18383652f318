//! Scenario 10: NaN or infinity in the data, the loss or a gradient ends the run in that step with
//! the name of the tensor; it is in no checkpoint and in no best epoch. With `on_nan = "rollback"`
//! the run finishes, and a repetition of it with the same bits.

use std::path::Path;

use training::{Fault, Faults, RunError};

use super::injected::{self, fail_then_resume};
use crate::Settings;
use crate::fixture::{Fixture, KEEP_LAST, STEPS_PER_EPOCH, train};
use crate::snapshot::Snapshot;
use crate::tally::{CaseResult, ScenarioResult, Tally};

/// Injects one kind of fault into each step, or each kind in the full runs.
pub fn run(settings: &Settings) -> ScenarioResult {
    let epochs = settings.choose(10, 75);
    let fixture = Fixture::new()?;
    let overrides = [format!("training.epochs={epochs}")];
    let reference = injected::reference(&fixture, "flex", &overrides)?;
    let mut tally = Tally::default();
    for step in 1..=epochs * STEPS_PER_EPOCH {
        for kind in settings.choose(&[step % 3][..], &[0, 1, 2]) {
            let fault = fault(*kind, step);
            let result = stop(&fixture, &overrides, &reference, step, fault);
            tally.record(format_args!("{fault:?} in step {step}"), result);
        }
    }
    roll_back_each_epoch(&fixture, epochs, &mut tally);
    tally.note = format!("each of {} steps; {epochs} rollbacks", epochs * STEPS_PER_EPOCH);
    Ok(tally)
}

fn fault(kind: usize, step: usize) -> Fault {
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    let value = values.into_iter().cycle().nth(step / 3).unwrap_or(f32::NAN);
    match kind {
        0 => Fault::Input(value),
        1 => Fault::Loss(f64::from(value)),
        _ => Fault::Gradient(value),
    }
}

fn stop(
    fixture: &Fixture,
    overrides: &[String],
    reference: &Snapshot,
    faulty: usize,
    fault: Fault,
) -> CaseResult {
    let is_expected = |error: &RunError| match error {
        RunError::NonFinite { step, tensor, batch, .. } => {
            *step == faulty
                && *batch == (faulty - 1) % STEPS_PER_EPOCH + 1
                && names_tensor(fault, tensor)
        }
        _ => false,
    };
    fail_then_resume(fixture, overrides, reference, Faults::one(faulty, fault), is_expected)
}

/// Returns whether `tensor` is the one with the fault.
fn names_tensor(fault: Fault, tensor: &str) -> bool {
    match fault {
        Fault::Input(_) => tensor == "the input of the model",
        Fault::Gradient(_) => tensor.starts_with("the gradient of `"),
        _ => tensor == "the output of the model",
    }
}

/// Injects a fault into one step of each epoch with `on_nan = "rollback"`.
fn roll_back_each_epoch(fixture: &Fixture, epochs: usize, tally: &mut Tally) {
    let overrides = [format!("training.epochs={epochs}"), "training.on_nan=rollback".to_owned()];
    for epoch in 0..epochs {
        let step = epoch * STEPS_PER_EPOCH + 1 + epoch % STEPS_PER_EPOCH;
        let result = roll_back(fixture, &overrides, "first", step).and_then(|first| {
            first.require_equal(&roll_back(fixture, &overrides, "second", step)?)
        });
        tally.record(format_args!("rollback in step {step}"), result);
    }
}

fn roll_back(
    fixture: &Fixture,
    overrides: &[String],
    name: &str,
    step: usize,
) -> CaseResult<Snapshot> {
    let directory = fixture.path(name);
    let snapshot = finish_after_rollback(fixture, overrides, &directory, step);
    std::fs::remove_dir_all(&directory).ok();
    snapshot
}

fn finish_after_rollback(
    fixture: &Fixture,
    overrides: &[String],
    directory: &Path,
    step: usize,
) -> CaseResult<Snapshot> {
    let mut run = fixture.experiment("flex", overrides)?.start_at(directory)?;
    run.inject(Faults::one(step, fault(step, step)));
    train(run, None)?;
    Snapshot::read(directory, KEEP_LAST + 1)
}
