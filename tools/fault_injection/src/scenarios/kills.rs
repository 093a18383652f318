//! Scenario 2: a run that is killed at random times and resumed, repeatedly, ends with the bits of
//! an uninterrupted run, also one that starts from the weights of another. Nothing has to be
//! repaired, and no other files are left.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::fixture::{Fixture, NAME};
use crate::interrupted_run::{InterruptedRun, Reference};
use crate::process::Signal;
use crate::tally::{CaseResult, ScenarioResult, Tally};
use crate::{Settings, random};

/// Largest number of kills of one run.
const MAX_KILLS: usize = 10;

/// With a commit after every step a run spends most of its time in commits.
const COMMITTING: [&str; 2] = ["--set", "training.checkpoint.every_steps=1"];

const FINE_TUNING: &str =
    "fine_tuning={freeze=\"backbone\", unfreeze_after_epochs=5, layer_decay=0.5}";

/// Runs until enough processes were killed, on every processor backend in turn, and with the model
/// of the first of these runs fine-tuned.
pub fn run(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let mut references = Reference::on_each_processor(settings, &fixture, &COMMITTING)?;
    let first = training::device::processors().remove(0).name;
    let weights = fixture.path(&first).join("runs").join(NAME).display().to_string();
    let init_from = format!("init_from={weights:?}");
    let tuned = ["--device", &first, "--set", &init_from, "--set", FINE_TUNING];
    let tuned = [&COMMITTING[..], &tuned].concat();
    references.insert(1, Reference::new(settings, &fixture, "fine-tuned", &tuned)?);
    let (kills, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let required: usize = settings.choose(40, 1000);
    let mut tally = Tally::on_all_cores(|number, tally| {
        let left = required.saturating_sub(kills.load(Ordering::Relaxed));
        let reference = references.get(number % references.len()).filter(|_| left > 0)?;
        runs.fetch_add(1, Ordering::Relaxed);
        let mut times = Vec::new();
        let result = kill_repeatedly(reference, number, random(settings.seed, number), &mut times);
        kills.fetch_add(times.len(), Ordering::Relaxed);
        tally.cases += times.len();
        let failure = result.err();
        let failure = failure.map(|reason| format!("run {number}, killed at {times:?}: {reason}"));
        tally.failures.extend(failure);
        Some(())
    });
    let longest = references.iter().map(|reference| reference.duration.as_millis()).max();
    let longest = longest.unwrap_or_default();
    tally.note = format!("{} runs; {longest} ms without interruption", runs.into_inner());
    Ok(tally)
}

/// Kills a run up to [`MAX_KILLS`] times, at ages of its processes that it adds to `times`, and
/// finishes it.
fn kill_repeatedly(
    reference: &Reference,
    number: usize,
    mut random: ChaCha8Rng,
    times: &mut Vec<Duration>,
) -> CaseResult {
    let run = reference.interrupted_run(number)?;
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
