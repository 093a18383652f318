//! Scenario 8: after SIGINT or SIGTERM at any time the trainer commits a checkpoint and ends with
//! the documented exit code, and the resumed run ends with the bits of an uninterrupted run. A
//! second signal ends it at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::fixture::Fixture;
use crate::interrupted_run::{InterruptedRun, Reference};
use crate::process::{Exit, Signal};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};
use crate::{Settings, random};

/// The signals that a case sends, one after the other.
const SIGNALS: [&[Signal]; 3] =
    [&[Signal::Interrupt], &[Signal::Terminate], &[Signal::Interrupt, Signal::Terminate]];

/// Longest time from a signal, and from a second one, to the end of the process; a step takes much
/// less.
const TIMEOUTS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(1)];

/// A model large enough that a second signal can arrive during a step or a commit.
const MODEL: [&str; 4] =
    ["--set", "model.mlp.hidden=[256,256]", "--set", "model.mlp.dropout=[0.2,0.2]"];

/// Sends each signal alone, and pairs of them, on every processor backend in turn.
pub fn run(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let references = Reference::on_each_processor(settings, &fixture, &MODEL)?;
    let each = settings.choose(20, 200);
    let unhandled = AtomicUsize::new(0);
    let mut tally = Tally::on_all_cores(|number, tally| {
        let signals = SIGNALS.get(number / each)?;
        let reference = references.get(number % references.len())?;
        let random = random(settings.seed, number);
        let result = signal_and_finish(reference, number, random, signals, &unhandled);
        tally.record(format_args!("case {number}, {signals:?}"), result);
        Some(())
    });
    let unhandled = unhandled.into_inner();
    tally.note = format!("{each} of each signal, {each} pairs; {unhandled} arrived before `main`");
    Ok(tally)
}

/// Signals a new run and its resume at random ages, and finishes it.
fn signal_and_finish(
    reference: &Reference,
    number: usize,
    mut random: ChaCha8Rng,
    signals: &[Signal],
    unhandled: &AtomicUsize,
) -> CaseResult {
    let run = reference.interrupted_run(number)?;
    for _ in 0..2 {
        let age = reference.duration.mul_f64(random.random_range(0.0..1.0));
        let pause = Duration::from_micros(random.random_range(0..20_000));
        let is_handled = send(&run, age, pause, signals)
            .map_err(|reason| format!("at {age:?}, then {pause:?}: {reason}"))?;
        unhandled.fetch_add(usize::from(!is_handled), Ordering::Relaxed);
    }
    run.finish_and_compare()
}

/// Sends the signals to the run when its process has this age, with a pause between them. Returns
/// whether they were handled.
fn send(
    run: &InterruptedRun,
    age: Duration,
    pause: Duration,
    signals: &[Signal],
) -> CaseResult<bool> {
    let mut process = run.start_or_resume()?;
    process.wait_until(age)?;
    let (mut last, mut limit) = (Instant::now(), Duration::ZERO);
    for (signal, timeout) in signals.iter().zip(TIMEOUTS) {
        if limit > Duration::ZERO {
            thread::sleep(pause);
        }
        process.send(*signal)?;
        (last, limit) = (Instant::now(), timeout);
    }
    let exit = process.wait()?;
    let waited = last.elapsed();
    require::<String>(waited <= limit, || format!("ended {waited:?} after the last signal"))?;
    is_handled(run, &exit, signals)
}

/// Returns whether the process handled the signal. Fails unless it then finished, or stopped with
/// the documented exit code and a checkpoint.
fn is_handled(run: &InterruptedRun, exit: &Exit, signals: &[Signal]) -> CaseResult<bool> {
    if signals.iter().any(|signal| exit.died_of(*signal)) {
        return Ok(false);
    }
    if !signals.iter().any(|signal| exit.code() == Some(signal.exit_code())) {
        return exit.require_code(0).map(|()| true);
    }
    let is_saved = !run.has_started() || !run.checkpoints().is_empty();
    require(is_saved || signals.len() > 1, || "stopped without a checkpoint".to_owned())
        .map(|()| true)
}
