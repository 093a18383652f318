//! Scenario 8: after SIGINT or SIGTERM at any time the trainer commits a checkpoint and ends with
//! the documented exit code, and the resumed run ends with the bits of an uninterrupted run. A
//! second signal ends it at once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::Settings;
use crate::fixture::Fixture;
use crate::interrupted_run::{InterruptedRun, Reference};
use crate::parallel::run_on_all_cores;
use crate::process::{Exit, Signal};
use crate::tally::{CaseResult, ScenarioResult, Tally};

/// The signals of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signals {
    One(Signal),
    Two(Signal, Signal),
}

/// Longest time from a signal to the end of the process; a step takes much less.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest time from a second signal to the end of the process.
const SECOND_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends each signal alone, and pairs of them, on every processor backend in turn.
pub fn run(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let references = references(settings, &fixture)?;
    let each = settings.choose(20, 200);
    let unhandled = AtomicUsize::new(0);
    let mut tally = run_on_all_cores(|number| {
        let signals = signals(number / each)?;
        let reference = references.get(number % references.len())?;
        let directory = fixture.path(format!("signalled-{number}"));
        let mut tally = Tally::default();
        let result = signal_and_finish(settings, reference, directory, number, signals, &unhandled);
        tally.record(format_args!("case {number}, {signals:?}"), result);
        Some(tally)
    });
    let unhandled = unhandled.into_inner();
    tally.note = format!("{each} of each signal, {each} pairs; {unhandled} arrived before `main`");
    Ok(tally)
}

fn signals(group: usize) -> Option<Signals> {
    use Signal::{Interrupt, Terminate};
    match group {
        0 => Some(Signals::One(Interrupt)),
        1 => Some(Signals::One(Terminate)),
        2 => Some(Signals::Two(Interrupt, Terminate)),
        _ => None,
    }
}

/// With a model large enough that a second signal can arrive during a step or a commit.
fn references(settings: &Settings, fixture: &Fixture) -> CaseResult<Vec<Reference>> {
    let mut references = Vec::new();
    for device in training::device::processors() {
        let model = ["model.mlp.hidden=[256,256]", "model.mlp.dropout=[0.2,0.2]"];
        let args = ["--set", model[0], "--set", model[1], "--device", &device.name];
        let name = format!("reference-{}", device.name);
        references.push(Reference::new(settings, fixture, &name, &args)?);
    }
    Ok(references)
}

/// Signals a new run and its resume at random ages, and finishes it.
fn signal_and_finish(
    settings: &Settings,
    reference: &Reference,
    directory: PathBuf,
    number: usize,
    signals: Signals,
    unhandled: &AtomicUsize,
) -> CaseResult {
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    random.set_stream(number as u64);
    let run = reference.interrupted_run(directory, number)?;
    for _ in 0..2 {
        let age = reference.duration.mul_f64(random.random_range(0.0..1.0));
        let pause = Duration::from_micros(random.random_range(0..20_000));
        let is_handled = send(&run, age, pause, signals)
            .map_err(|reason| format!("at {age:?}, then {pause:?}: {reason}"))?;
        unhandled.fetch_add(usize::from(!is_handled), Ordering::Relaxed);
    }
    run.finish_and_compare()
}

/// Sends the signals to the run when its process has this age. Returns whether they were handled.
fn send(
    run: &InterruptedRun,
    age: Duration,
    pause: Duration,
    signals: Signals,
) -> CaseResult<bool> {
    let mut process = run.start_or_resume()?;
    process.wait_until(age)?;
    let (first, second) = match signals {
        Signals::One(first) => (first, None),
        Signals::Two(first, second) => (first, Some(second)),
    };
    process.send(first)?;
    let mut last = Instant::now();
    if let Some(second) = second {
        thread::sleep(pause);
        process.send(second)?;
        last = Instant::now();
    }
    let exit = process.wait()?;
    let limit = if second.is_none() { TIMEOUT } else { SECOND_TIMEOUT };
    if last.elapsed() > limit {
        return Err(format!("ended {:?} after the last signal", last.elapsed()).into());
    }
    is_handled(run, &exit, signals)
}

/// Returns whether the process handled the signal. Fails unless it then finished, or stopped with
/// the documented exit code and a checkpoint.
fn is_handled(run: &InterruptedRun, exit: &Exit, signals: Signals) -> CaseResult<bool> {
    let sent = match signals {
        Signals::One(signal) => vec![signal],
        Signals::Two(first, second) => vec![first, second],
    };
    if sent.iter().any(|signal| exit.died_of(*signal)) {
        return Ok(false);
    }
    if !sent.iter().any(|signal| exit.code() == Some(signal.exit_code())) {
        return exit.require_code(0).map(|()| true);
    }
    let is_saved = !run.has_started() || !run.checkpoints().is_empty();
    if is_saved || sent.len() > 1 { Ok(true) } else { Err("stopped without a checkpoint".into()) }
}
