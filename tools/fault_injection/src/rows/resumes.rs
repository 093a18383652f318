//! Row 13: a run that is resumed over and over keeps the checkpoints that it is to keep and nothing
//! else, and neither its memory nor its time grows.

use std::error::Error;
use std::path::Path;

use crate::Campaign;
use crate::bits::{is_of_a_run, names};
use crate::experiment::{Experiment, KEPT};
use crate::program::{Ended, Program, Signal};
use crate::tally::{Outcome, Tally};

/// Twelve steps an epoch, each of which is committed.
const ARGS: [&str; 4] =
    ["--set", "training.batch_size=4", "--set", "training.checkpoint.every_steps=1"];

/// Stops every other resume after a step or two, and lets the others end an epoch.
pub fn run(campaign: &Campaign) -> Outcome {
    let resumes: usize = campaign.either(20, 1000);
    let experiment = Experiment::new()?;
    let program = Program::within(campaign, experiment.path(""));
    let directory = experiment.path("resumed");
    start(&program, &experiment, &directory)?;
    let (mut tally, mut lives) = (Tally::default(), Vec::new());
    for number in 1..=resumes {
        let outcome = resume(&program, &directory, number.is_multiple_of(2));
        let outcome = outcome.map(|ended| lives.push(ended));
        tally.count(outcome.map_err(|error| format!("resume {number}: {error}")));
    }
    judge(&mut tally, &lives);
    Ok(tally)
}

fn start(
    program: &Program,
    experiment: &Experiment,
    directory: &Path,
) -> Result<(), Box<dyn Error>> {
    let config = experiment.config().display().to_string();
    let directory = directory.display().to_string();
    let once = ["--config", &config, "--run-dir", &directory, "--set", "training.epochs=2"];
    Ok(program.run(&[&once[..], &ARGS].concat())?.must_be(0)?)
}

/// One resume, which ends the epoch that it begins or is stopped before.
fn resume(program: &Program, directory: &Path, is_stopped: bool) -> Result<Ended, Box<dyn Error>> {
    let before = newest(directory)?;
    let epochs = format!("training.epochs={}", epoch(&before)? + usize::from(is_stopped));
    let path = directory.display().to_string();
    let mut running = program.start(&["--resume", &path, "--ui", "plain", "--set", &epochs])?;
    if is_stopped {
        running.wait_for_line("resuming")?;
        running.send(Signal::Interrupt)?;
    }
    let ended = running.wait()?;
    ended.must_be(0).or_else(|reason| match is_stopped {
        true => ended.must_be(Signal::Interrupt.code()),
        false => Err(reason),
    })?;
    must_be_tidy(directory)?;
    match newest(directory)? > before {
        true => Ok(ended),
        false => Err(format!("no step after {before}").into()),
    }
}

fn newest(directory: &Path) -> Result<String, Box<dyn Error>> {
    Ok(names(&directory.join("checkpoints"))?.pop().ok_or("no checkpoint")?)
}

/// The epoch in the name of a checkpoint.
fn epoch(checkpoint: &str) -> Result<usize, Box<dyn Error>> {
    Ok(checkpoint.split('-').nth(1).ok_or("no epoch")?.parse()?)
}

fn must_be_tidy(directory: &Path) -> Result<(), Box<dyn Error>> {
    let mut strays = names(directory)?;
    strays.retain(|name| !is_of_a_run(name));
    let checkpoints = names(&directory.join("checkpoints"))?;
    let few = checkpoints.len() <= KEPT + 1;
    match strays.is_empty() && few && checkpoints.iter().all(|name| name.starts_with("epoch-")) {
        true => Ok(()),
        false => Err(format!("{strays:?}, and the checkpoints {checkpoints:?}").into()),
    }
}

/// How many resumes a median is taken of at least.
const FEWEST: usize = 7;

/// Compares the first tenth of the resumes of each kind with the last.
fn judge(tally: &mut Tally, lives: &[Ended]) {
    // Of few there is no median: a single slow one would be lost.
    let tenth = (lives.len() / 10).max(FEWEST);
    let medians = |values: Vec<f64>| {
        let (first, last) = (values.get(..tenth), values.get(values.len().saturating_sub(tenth)..));
        [median(first.unwrap_or_default()), median(last.unwrap_or_default())]
    };
    let peaks = medians(lives.iter().map(|life| life.peak_kib as f64 / 1024.0).collect());
    let times = medians(lives.iter().map(|life| 1e3 * life.lived.as_secs_f64()).collect());
    let text = |[first, last]: [f64; 2]| format!("{first:.0} then {last:.0}");
    tally.note = format!("{} MiB, {} ms", text(peaks), text(times));
    for (what, [first, last], most) in [("memory", peaks, 1.2), ("time", times, 2.0)] {
        if last > most * first {
            tally.losses.push(format!("more {what} from resume to resume: {first:.1}, {last:.1}"));
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
