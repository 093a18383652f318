//! Row 10: a number that is not finite, in the data, the loss or a gradient, stops the run in that
//! very step with its name, spoils no checkpoint, and is the best of no epoch. Where the run is to
//! go back instead, it ends, and twice with the same bits.

use std::error::Error;
use std::path::Path;

use training::{Fault, Faults, RunError};

use super::planted::{self, fail_then_resume};
use crate::Campaign;
use crate::bits::Bits;
use crate::experiment::{Experiment, KEPT, STEPS_PER_EPOCH, fit};
use crate::tally::{Outcome, Tally};

/// One kind of fault a step, or in full each kind.
pub fn run(campaign: &Campaign) -> Outcome {
    let epochs = campaign.either(10, 75);
    let experiment = Experiment::new()?;
    let overrides = [format!("training.epochs={epochs}")];
    let whole = planted::whole(&experiment, &overrides)?;
    let mut tally = Tally::default();
    for step in 1..=epochs * STEPS_PER_EPOCH {
        for kind in campaign.either(&[step % 3][..], &[0, 1, 2]) {
            let fault = fault(*kind, step);
            let stopped = stops(&experiment, &overrides, &whole, step, fault);
            tally.count(stopped.map_err(|reason| format!("{fault:?} in step {step}: {reason}")));
        }
    }
    let back = goes_back(&experiment, epochs, &mut tally)?;
    tally.note = format!("every step of {}; {back} went back", epochs * STEPS_PER_EPOCH);
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

fn stops(
    experiment: &Experiment,
    overrides: &[String],
    whole: &Bits,
    planted: usize,
    fault: Fault,
) -> Result<(), String> {
    let is_named = |error: &RunError| match error {
        RunError::NotFinite { step, tensor, batch, .. } => {
            *step == planted
                && *batch == (planted - 1) % STEPS_PER_EPOCH + 1
                && is_right(fault, tensor)
        }
        _ => false,
    };
    fail_then_resume(experiment, overrides, whole, Faults::one(planted, fault), is_named)
}

/// Whether `tensor` is the one that was spoilt.
fn is_right(fault: Fault, tensor: &str) -> bool {
    match fault {
        Fault::Input(_) => tensor == "the input of the model",
        Fault::Gradient(_) => tensor.starts_with("that of `"),
        _ => tensor == "the output of the model",
    }
}

/// The same with `on_nan = "rollback"`, once an epoch.
fn goes_back(
    experiment: &Experiment,
    epochs: usize,
    tally: &mut Tally,
) -> Result<usize, Box<dyn Error>> {
    let overrides = [format!("training.epochs={epochs}"), "training.on_nan=rollback".to_owned()];
    for epoch in 0..epochs {
        let step = epoch * STEPS_PER_EPOCH + 1 + epoch % STEPS_PER_EPOCH;
        let again = |name: &str| {
            let directory = experiment.path(name);
            let bits = go_back(experiment, &overrides, &directory, step);
            std::fs::remove_dir_all(&directory).ok();
            bits.map_err(|error| error.to_string())
        };
        let equal = again("once").and_then(|once| once.must_equal(&again("twice")?));
        tally.count(equal.map_err(|reason| format!("back from step {step}: {reason}")));
    }
    Ok(epochs)
}

fn go_back(
    experiment: &Experiment,
    overrides: &[String],
    directory: &Path,
    step: usize,
) -> Result<Bits, Box<dyn Error>> {
    let mut run = experiment.plan("flex", overrides)?.start(Some(directory))?;
    run.plant(Faults::one(step, fault(step, step)));
    fit(run, None)?;
    Bits::of(directory, KEPT + 1)
}
