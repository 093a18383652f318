//! Row 11: however many workers load batches, and however far ahead, the bits are the same. Row 12:
//! a worker that panics or a source that fails ends the run, never an epoch.

use std::error::Error;

use training::{Fault, Faults, RunError};

use super::planted::{self, fail_then_resume};
use crate::Campaign;
use crate::bits::Bits;
use crate::experiment::{Experiment, KEPT, STEPS_PER_EPOCH, fit};
use crate::tally::{Outcome, Tally};

const WORKERS: [usize; 5] = [0, 1, 2, 4, 8];
const PREFETCH: [usize; 4] = [1, 2, 5, 64];

/// Runs with all numbers of workers and several depths.
pub fn workers(campaign: &Campaign) -> Outcome {
    let experiment = Experiment::new()?;
    let whole = planted::whole(&experiment, &[])?.without("config.toml");
    let mut tally = Tally::default();
    let depths = PREFETCH.into_iter().cycle();
    let ways = WORKERS.into_iter().cycle().zip(depths).take(campaign.either(10, 100));
    for (number, (workers, prefetch)) in ways.enumerate() {
        let bits = load(&experiment, number, workers, prefetch);
        let equal =
            bits.map_err(|error| error.to_string()).and_then(|bits| bits.must_equal(&whole));
        tally.count(
            equal.map_err(|reason| format!("{workers} workers, {prefetch} ahead: {reason}")),
        );
    }
    tally.note = format!("{WORKERS:?} workers, {PREFETCH:?} batches ahead");
    Ok(tally)
}

fn load(
    experiment: &Experiment,
    number: usize,
    workers: usize,
    prefetch: usize,
) -> Result<Bits, Box<dyn Error>> {
    let directory = experiment.path(format!("loaded-{number}"));
    let run = experiment.plan("flex", &overrides(workers, prefetch))?.start(Some(&directory))?;
    fit(run, None)?;
    Ok(Bits::of(&directory, KEPT)?.without("config.toml"))
}

fn overrides(workers: usize, prefetch: usize) -> [String; 2] {
    [format!("training.loader.workers={workers}"), format!("training.loader.prefetch={prefetch}")]
}

/// Both faults in each batch, with one worker and with three.
pub fn failures(_campaign: &Campaign) -> Outcome {
    let experiment = Experiment::new()?;
    let steps = 10 * STEPS_PER_EPOCH;
    let mut tally = Tally::default();
    for workers in [1, 3] {
        let overrides = overrides(workers, 2);
        let whole = planted::whole(&experiment, &overrides)?;
        std::fs::remove_dir_all(experiment.path("whole"))?;
        for (step, fault) in
            (1..=steps).flat_map(|step| [(step, Fault::Source), (step, Fault::Loader)])
        {
            let is_right = |error: &RunError| is_named(error, step);
            let faults = Faults::one(step, fault);
            let ended = fail_then_resume(&experiment, &overrides, &whole, faults, is_right);
            tally.count(ended.map_err(|reason| format!("{fault:?} in batch {step}: {reason}")));
        }
    }
    tally.note = format!("a panic and an error in each of {steps} batches, 1 and 3 workers");
    Ok(tally)
}

fn is_named(error: &RunError, step: usize) -> bool {
    let (at, within) = ((step - 1) / STEPS_PER_EPOCH + 1, (step - 1) % STEPS_PER_EPOCH + 1);
    matches!(error, RunError::NotLoaded { epoch, batch, .. } if (*epoch, *batch) == (at, within))
}
