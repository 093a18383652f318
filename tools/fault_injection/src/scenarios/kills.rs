//! Scenario 2: a run that is killed at random times and resumed, repeatedly, ends with the bits of
//! an uninterrupted run, also one that starts from the weights of another. Nothing has to be
//! repaired, and no other files are left.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::Settings;
use crate::fixture::{Fixture, NAME};
use crate::interrupted_run::{InterruptedRun, Reference};
use crate::parallel::run_on_all_cores;
use crate::process::Signal;
use crate::tally::{CaseResult, ScenarioResult, Tally};

/// Largest number of kills of one run.
const MAX_KILLS: usize = 10;

/// Runs until enough processes were killed, on every processor backend in turn.
pub fn run(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let references = references(settings, &fixture)?;
    let (kills, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let required: usize = settings.choose(40, 1000);
    let mut tally = run_on_all_cores(|number| {
        let left = required.saturating_sub(kills.load(Ordering::Relaxed));
        let reference = references.get(number % references.len()).filter(|_| left > 0)?;
        runs.fetch_add(1, Ordering::Relaxed);
        let directory = fixture.path(format!("killed-{number}"));
        let mut times = Vec::new();
        let result = kill_repeatedly(settings, reference, directory, number, &mut times);
        kills.fetch_add(times.len(), Ordering::Relaxed);
        let failure =
            result.err().map(|reason| format!("run {number}, killed at {times:?}: {reason}"));
        let failures = failure.into_iter().collect();
        Some(Tally { cases: times.len(), failures, ..Tally::default() })
    });
    let longest = references.iter().map(|reference| reference.duration.as_millis()).max();
    let longest = longest.unwrap_or_default();
    tally.note = format!("{} runs; {longest} ms without interruption", runs.into_inner());
    Ok(tally)
}

/// With a commit after every step: a run spends most of its time in commits. The second fine-tunes the
/// model of the first.
fn references(settings: &Settings, fixture: &Fixture) -> CaseResult<Vec<Reference>> {
    let mut references = Vec::new();
    let committing = ["--set", "training.checkpoint.every_steps=1"];
    for device in training::device::processors() {
        let args = [&committing[..], &["--device", &device.name]].concat();
        references.push(Reference::new(settings, fixture, &device.name, &args)?);
        if references.len() == 1 {
            let weights = fixture.path(&device.name).join("runs").join(NAME);
            let init_from = format!("init_from={:?}", weights.display().to_string());
            let tuned = ["--set", &init_from, "--set", FINE_TUNING];
            let args = [&args[..], &tuned].concat();
            references.push(Reference::new(settings, fixture, "fine-tuned", &args)?);
        }
    }
    Ok(references)
}

const FINE_TUNING: &str =
    "fine_tuning={freeze=\"backbone\", unfreeze_after_epochs=5, layer_decay=0.5}";

/// Kills a run up to [`MAX_KILLS`] times, at ages of its processes that it adds to `times`, and
/// finishes it.
fn kill_repeatedly(
    settings: &Settings,
    reference: &Reference,
    directory: PathBuf,
    number: usize,
    times: &mut Vec<Duration>,
) -> CaseResult {
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    random.set_stream(number as u64);
    let run = reference.interrupted_run(directory, number)?;
    for _ in 0..random.random_range(1..=MAX_KILLS) {
        let age = random_age(reference.duration, &mut random);
        if !kill(&run, age)? {
            break;
        }
        times.push(age);
    }
    run.finish_and_compare()
}

/// A random age: a fifth of them in the first tenth of `duration`, a fifth around its end.
fn random_age(duration: Duration, random: &mut ChaCha8Rng) -> Duration {
    let share = match random.random_range(0..5) {
        0 => random.random_range(0.0..0.1),
        1 => random.random_range(0.8..1.1),
        _ => random.random_range(0.0..1.0),
    };
    duration.mul_f64(share)
}

/// Kills the run when its process has this age. Returns false if it finished before.
fn kill(run: &InterruptedRun, age: Duration) -> CaseResult<bool> {
    let mut process = run.start_or_resume()?;
    process.wait_until(age)?;
    process.send(Signal::Kill)?;
    let exit = process.wait()?;
    if exit.died_of(Signal::Kill) {
        return Ok(true);
    }
    exit.require_code(0).map(|()| false)
}
