//! Row 9: of trainers started together on one run directory exactly one runs, and the others say
//! which; the lock is free as soon as that one was killed.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::Campaign;
use crate::experiment::Experiment;
use crate::program::{Program, Running, Signal};
use crate::tally::{Outcome, Tally};

/// The exit code of those that may not run.
const REFUSED: i32 = 1;

/// How long the last of them may take to say so.
const PATIENCE: Duration = Duration::from_secs(100);

/// Rounds of a start, a resume of what was killed, and a resume by one alone.
pub fn run(campaign: &Campaign) -> Outcome {
    let (rounds, together) = campaign.either((2, 8), (50, 20));
    let experiment = Experiment::new()?;
    let program = Program::within(campaign, experiment.path(""));
    let mut tally = Tally::default();
    for round in 0..rounds {
        let directory = experiment.path(format!("round-{round}"));
        let outcome = contend(&program, &experiment.config(), &directory, together);
        tally.count(outcome.map_err(|reason| format!("round {round}: {reason}")));
    }
    tally.note = format!("rounds of {together} starts and {together} resumes");
    Ok(tally)
}

fn contend(
    program: &Program,
    config: &Path,
    directory: &Path,
    together: usize,
) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    let (config, directory) = (config.display().to_string(), directory.display().to_string());
    let endless = ["--ui", "none", "--set", "training.epochs=1000000"];
    let start = [&["--config", &config, "--run-dir", &directory][..], &endless].concat();
    let resume = [&["--resume", &directory][..], &endless].concat();
    for (name, args) in [("start", &start), ("resume", &resume)] {
        let mut owner = one_of(program, args, &directory, together)
            .map_err(|reason| format!("{name}: {reason}"))?;
        owner.send(Signal::Kill).map_err(told)?;
        owner.wait().map_err(told)?;
    }
    let mut alone = program.start(&["--resume", &directory, "--ui", "plain"]).map_err(told)?;
    alone.wait_for_line("resuming").map_err(told)?;
    alone.send(Signal::Interrupt).map_err(told)?;
    alone.wait().map_err(told)?.must_be(Signal::Interrupt.code())?;
    std::fs::remove_dir_all(&directory).map_err(told)
}

/// Starts so many together, and gives the one that runs, once the others have said that it does.
fn one_of(
    program: &Program,
    args: &[&str],
    directory: &str,
    together: usize,
) -> Result<Running, String> {
    let told = |error: std::io::Error| error.to_string();
    let all = (0..together).map(|_| program.start(args)).collect::<Result<Vec<_>, _>>();
    let (mut running, mut ended) = (all.map_err(told)?, Vec::new());
    let began = Instant::now();
    while running.len() > 1 && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
        let mut left = Vec::new();
        for mut one in running {
            match one.is_running().map_err(told)? {
                true => left.push(one),
                false => ended.push(one.wait().map_err(told)?),
            }
        }
        running = left;
    }
    let still = running.len();
    let (Some(owner), true) = (running.pop(), still == 1) else {
        return Err(format!("{still} run, and not one"));
    };
    let words = format!("{directory} is in use by process {}\n", owner.id());
    for other in &ended {
        other.must_be(REFUSED)?;
        if !other.words.contains(&words) {
            return Err(format!("no {words:?} in {:?}", other.words));
        }
    }
    Ok(owner)
}
