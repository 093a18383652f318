//! Scenario 9: of several trainers started on one run directory exactly one runs. The others report
//! which one; the lock is free as soon as that one is killed.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::Settings;
use crate::fixture::Fixture;
use crate::process::{Exit, Process, Program, Signal};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};

/// Exit code of the trainers that are refused.
const REFUSED: i32 = 1;

/// Longest time until the last of them is refused.
const TIMEOUT: Duration = Duration::from_secs(100);

/// Rounds of concurrent starts, concurrent resumes of the killed run, and a resume by one trainer.
pub fn run(settings: &Settings) -> ScenarioResult {
    let (rounds, trainers) = settings.choose((2, 8), (50, 20));
    let fixture = Fixture::new()?;
    let program = Program::new(settings, fixture.path(""));
    let mut tally = Tally::default();
    for round in 0..rounds {
        let directory = fixture.path(format!("round-{round}"));
        let result = contend(&program, &fixture.config(), &directory, trainers);
        tally.record(format_args!("round {round}"), result);
    }
    tally.note = format!("rounds of {trainers} starts and {trainers} resumes");
    Ok(tally)
}

fn contend(program: &Program, config: &Path, run_directory: &Path, trainers: usize) -> CaseResult {
    let (config, directory) = (config.display().to_string(), run_directory.display().to_string());
    let endless = ["--ui", "none", "--set", "training.epochs=1000000"];
    let start = [&["--config", &config, "--run-dir", &directory][..], &endless].concat();
    let resume = [&["--resume", &directory][..], &endless].concat();
    for (name, args) in [("start", &start), ("resume", &resume)] {
        let mut owner = start_concurrently(program, args, &directory, trainers)
            .map_err(|error| format!("{name}: {error}"))?;
        owner.send(Signal::Kill)?;
        owner.wait()?;
    }
    let mut alone = program.start(&["--resume", &directory, "--ui", "plain"])?;
    alone.wait_until_training(run_directory)?;
    alone.send(Signal::Interrupt)?;
    alone.wait()?.require_code(Signal::Interrupt.exit_code())?;
    Ok(std::fs::remove_dir_all(run_directory)?)
}

/// Starts several trainers and returns the one that runs, after the others were refused.
fn start_concurrently(
    program: &Program,
    args: &[&str],
    directory: &str,
    trainers: usize,
) -> CaseResult<Process> {
    let mut running = (0..trainers).map(|_| program.start(args)).collect::<Result<Vec<_>, _>>()?;
    let mut refused = Vec::new();
    let start = Instant::now();
    while running.len() > 1 && start.elapsed() < TIMEOUT {
        thread::sleep(Duration::from_millis(10));
        let mut still_running = Vec::new();
        for mut process in running {
            if process.is_running()? {
                still_running.push(process);
            } else {
                refused.push(process.wait()?);
            }
        }
        running = still_running;
    }
    let count = running.len();
    let (Some(owner), true) = (running.pop(), count == 1) else {
        return Err(format!("{count} trainers run instead of one").into());
    };
    refused.iter().try_for_each(|exit| require_refused(exit, directory, owner.id()))?;
    Ok(owner)
}

/// Requires an error whose first line ends with the id of the owner, after the run directory.
fn require_refused(exit: &Exit, directory: &str, owner: u32) -> CaseResult {
    exit.require_code(REFUSED)?;
    let names_owner = exit.stderr.lines().any(|line| {
        line.contains(directory) && line.split(' ').next_back() == Some(&owner.to_string())
    });
    require(names_owner, || {
        format!("no line with {directory} and process {owner} in {:?}", exit.stderr)
    })
}
