//! Scenario 9: of several trainers started on one run directory exactly one runs. The others report
//! which one; the lock is free as soon as that one is killed.

use std::thread;
use std::time::{Duration, Instant};

use crate::Settings;
use crate::fixture::Fixture;
use crate::process::{Exit, Process, Signal};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};

/// Exit code of the trainers that are refused.
const REFUSED: i32 = 1;

/// Longest time until the last of them is refused.
const TIMEOUT: Duration = Duration::from_secs(100);

/// Rounds of concurrent starts, concurrent resumes of the killed run, and a resume by one trainer.
pub fn run(settings: &Settings) -> ScenarioResult {
    let (rounds, trainers) = settings.choose((2, 8), (50, 20));
    let fixture = Fixture::new()?;
    let mut tally = Tally::default();
    for round in 0..rounds {
        tally.record(format_args!("round {round}"), contend(settings, &fixture, trainers));
    }
    tally.note = format!("rounds of {trainers} starts and {trainers} resumes");
    Ok(tally)
}

fn contend(settings: &Settings, fixture: &Fixture, trainers: usize) -> CaseResult {
    let run_directory = fixture.free_path("contended");
    let config = fixture.config().display().to_string();
    let directory = run_directory.display().to_string();
    let start_trainer = |args: &[&str]| Process::start(settings, &fixture.path(""), args);
    let endless = ["--ui", "none", "--set", "training.epochs=1000000"];
    let start = [&["--config", &config, "--run-dir", &directory][..], &endless].concat();
    let resume = [&["--resume", &directory][..], &endless].concat();
    for (name, args) in [("start", &start), ("resume", &resume)] {
        let started = (0..trainers).map(|_| start_trainer(args)).collect::<Result<_, _>>()?;
        let mut owner =
            the_owner(started, &directory).map_err(|error| format!("{name}: {error}"))?;
        owner.send(Signal::Kill)?;
        owner.wait()?;
    }
    let mut alone = start_trainer(&["--resume", &directory, "--ui", "plain"])?;
    alone.wait_until_training(&run_directory)?;
    alone.send(Signal::Interrupt)?;
    alone.wait()?.require_code(Signal::Interrupt.exit_code())
}

/// Returns the trainer that runs, after the others were refused.
fn the_owner(mut running: Vec<Process>, directory: &str) -> CaseResult<Process> {
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
