//! Scenario 11: the number of workers that load batches, and how far ahead they load, change no
//! bit. Scenario 12: a worker that panics or a data source that fails ends the run, and no epoch
//! is short.

use training::{Fault, RunError};

use super::injected::Undisturbed;
use crate::Settings;
use crate::fixture::{Fixture, STEPS_PER_EPOCH};
use crate::snapshot::Snapshot;
use crate::tally::{CaseResult, ScenarioResult, Tally};

const WORKERS: [usize; 5] = [0, 1, 2, 4, 8];
const PREFETCH: [usize; 4] = [1, 2, 5, 64];

/// Trains with every combination of workers and prefetched batches.
pub fn workers(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let train = |overrides: &[String]| -> CaseResult<Snapshot> {
        // The settings themselves are in the config.
        Ok(Undisturbed::new(&fixture, "flex", overrides)?.files.without("config.toml"))
    };
    let reference = train(&[])?;
    let mut tally = Tally::default();
    let combinations = WORKERS.into_iter().cycle().zip(PREFETCH.into_iter().cycle());
    for (workers, prefetch) in combinations.take(settings.choose(10, 100)) {
        let result = train(&overrides(workers, prefetch))
            .and_then(|snapshot| snapshot.require_equal(&reference));
        tally.record(format_args!("{workers} workers, {prefetch} ahead"), result);
    }
    tally.note = format!("{WORKERS:?} workers, {PREFETCH:?} batches ahead");
    Ok(tally)
}

fn overrides(workers: usize, prefetch: usize) -> [String; 2] {
    [format!("training.loader.workers={workers}"), format!("training.loader.prefetch={prefetch}")]
}

/// Injects both faults into each batch, with one worker and with three.
pub fn failures(_settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let steps = 10 * STEPS_PER_EPOCH;
    let mut tally = Tally::default();
    for workers in [1, 3] {
        let overrides = overrides(workers, 2);
        let undisturbed = Undisturbed::new(&fixture, "flex", &overrides)?;
        for step in 1..=steps {
            for fault in [Fault::Source, Fault::Loader] {
                let is_expected = |error: &RunError| names_batch(error, step);
                let result = undisturbed.fail_then_resume(step, fault, is_expected);
                tally.record(format_args!("{fault:?} in batch {step}"), result);
            }
        }
    }
    tally.note = format!("a panic and an error in each of {steps} batches, 1 and 3 workers");
    Ok(tally)
}

fn names_batch(error: &RunError, step: usize) -> bool {
    let expected = ((step - 1) / STEPS_PER_EPOCH + 1, (step - 1) % STEPS_PER_EPOCH + 1);
    matches!(error, RunError::NotLoaded { epoch, batch, .. } if (*epoch, *batch) == expected)
}
