//! Scenario 10: NaN or infinity in the data, the loss or a gradient ends the run in that step with
//! the name of the tensor; it is in no checkpoint and in no best epoch. With `on_nan = "rollback"`
//! the run finishes, and a repetition of it with the same bits.

use training::{Fault, Faults, RunError};

use super::injected::Undisturbed;
use crate::Settings;
use crate::fixture::{Fixture, KEEP_LAST, STEPS_PER_EPOCH, train};
use crate::snapshot::Snapshot;
use crate::tally::{CaseResult, ScenarioResult, Tally};

/// Injects one kind of fault into each step, or each kind in the full runs; and one fault into each
/// epoch with `on_nan = "rollback"`.
pub fn run(settings: &Settings) -> ScenarioResult {
    let epochs = settings.choose(10, 75);
    let fixture = Fixture::new()?;
    let overrides = [format!("training.epochs={epochs}")];
    let undisturbed = Undisturbed::new(&fixture, "flex", &overrides)?;
    let mut tally = Tally::default();
    for step in 1..=epochs * STEPS_PER_EPOCH {
        for kind in settings.choose(&[step % 3][..], &[0, 1, 2]) {
            let fault = fault(*kind, step);
            let is_expected = |error: &RunError| is_expected(error, step, fault);
            let result = undisturbed.fail_then_resume(step, fault, is_expected);
            tally.record(format_args!("{fault:?} in step {step}"), result);
        }
    }
    let overrides = [&overrides[..], &["training.on_nan=rollback".to_owned()]].concat();
    for epoch in 0..epochs {
        let step = epoch * STEPS_PER_EPOCH + 1 + epoch % STEPS_PER_EPOCH;
        let result = roll_back(&fixture, &overrides, step)
            .and_then(|first| first.require_equal(&roll_back(&fixture, &overrides, step)?));
        tally.record(format_args!("rollback in step {step}"), result);
    }
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

/// Whether `error` names the step and the tensor of `fault`.
fn is_expected(error: &RunError, faulty: usize, fault: Fault) -> bool {
    let RunError::NonFinite { step, tensor, batch, .. } = error else { return false };
    let names_tensor = match fault {
        Fault::Input(_) => tensor == "the input of the model",
        Fault::Gradient(_) => tensor.starts_with("the gradient of `"),
        _ => tensor == "the output of the model",
    };
    names_tensor && *step == faulty && *batch == (faulty - 1) % STEPS_PER_EPOCH + 1
}

/// Trains a run with a fault in `step` to its end.
fn roll_back(fixture: &Fixture, overrides: &[String], step: usize) -> CaseResult<Snapshot> {
    let directory = fixture.free_path("rolled-back");
    let mut run = fixture.experiment("flex", overrides)?.start_at(&directory)?;
    run.inject(Faults::one(step, fault(step, step)));
    train(run, None)?;
    Snapshot::read(&directory, KEEP_LAST + 1)
}
