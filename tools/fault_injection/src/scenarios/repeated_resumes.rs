//! Scenario 13: a run that is resumed many times keeps only the configured checkpoints and no other
//! files, and neither its memory nor its start-up time grows.

use std::io;
use std::path::Path;

use crate::Settings;
use crate::fixture::{Fixture, KEEP_LAST};
use crate::process::{Exit, Process, Signal};
use crate::snapshot::require_clean;
use crate::tally::{CaseResult, ScenarioResult, Tally, require};

/// Twelve steps in an epoch, with a commit after each.
const ARGS: [&str; 4] =
    ["--set", "training.batch_size=4", "--set", "training.checkpoint.every_steps=1"];

/// Stops every other resume after one or two steps; the others finish an epoch.
pub fn run(settings: &Settings) -> ScenarioResult {
    let resumes: usize = settings.choose(20, 1000);
    let fixture = Fixture::new()?;
    let directory = fixture.path("resumed");
    let start = |args: &[&str]| {
        let run = directory.display().to_string();
        Process::start(settings, &fixture.path(""), &[args, &[run.as_str()]].concat())
    };
    let config = fixture.config().display().to_string();
    let options = ["--config", &config, "--set", "training.epochs=2", "--run-dir"];
    start(&[&ARGS[..], &options].concat())?.wait()?.require_code(0)?;
    let (mut tally, mut exits) = (Tally::default(), Vec::new());
    for number in 1..=resumes {
        let result = resume(start, &directory, number.is_multiple_of(2));
        let result = result.map(|exit| exits.push(exit));
        tally.record(format_args!("resume {number}"), result);
    }
    require_no_growth(&mut tally, &exits);
    Ok(tally)
}

/// Resumes the run once: to the end of its next epoch, or to a stop before it.
fn resume(
    start: impl Fn(&[&str]) -> io::Result<Process>,
    directory: &Path,
    is_stopped: bool,
) -> CaseResult<Exit> {
    let before = newest_checkpoint(directory)?;
    let epochs = format!("training.epochs={}", epoch(&before)? + usize::from(is_stopped));
    let mut process = start(&["--ui", "plain", "--set", &epochs, "--resume"])?;
    if is_stopped {
        process.wait_until_training(directory)?;
        process.send(Signal::Interrupt)?;
    }
    let exit = process.wait()?;
    if !is_stopped || exit.code() != Some(Signal::Interrupt.exit_code()) {
        exit.require_code(0)?;
    }
    let has_continued = newest_checkpoint(directory)? > before;
    require::<String>(has_continued, || format!("no step after {before}"))?;
    Ok(exit)
}

fn newest_checkpoint(directory: &Path) -> CaseResult<String> {
    Ok(require_clean(directory, KEEP_LAST)?.pop().ok_or("no checkpoint")?)
}

/// The epoch in the name of a checkpoint.
fn epoch(checkpoint: &str) -> CaseResult<usize> {
    Ok(checkpoint.split('-').nth(1).ok_or("no epoch")?.parse()?)
}

/// Smallest number of resumes for a median: of fewer, a single slow one would fail the scenario.
const MIN_GROUP: usize = 7;

/// Compares the median memory and time of the first tenth of the resumes with the last tenth.
fn require_no_growth(tally: &mut Tally, exits: &[Exit]) {
    let memory = first_and_last(exits, |exit| exit.peak_kib as f64 / 1024.0);
    let time = first_and_last(exits, |exit| 1e3 * exit.duration.as_secs_f64());
    tally.note = format!(
        "{:.0} then {:.0} MiB, {:.0} then {:.0} ms",
        memory[0], memory[1], time[0], time[1]
    );
    for (name, [first, last], limit) in [("memory", memory, 1.2), ("time", time, 2.0)] {
        if last > limit * first {
            tally.failures.push(format!("{name} grows from {first:.1} to {last:.1}"));
        }
    }
}

/// Medians of a value over the first and the last tenth of the resumes.
fn first_and_last(exits: &[Exit], value: impl Fn(&Exit) -> f64) -> [f64; 2] {
    let values: Vec<f64> = exits.iter().map(value).collect();
    let group = (values.len() / 10).max(MIN_GROUP);
    let first = values.get(..group).unwrap_or_default();
    let last = values.get(values.len().saturating_sub(group)..).unwrap_or_default();
    [median(first), median(last)]
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
