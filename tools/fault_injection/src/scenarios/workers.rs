//! Scenario 15: a run whose workers are killed at random times, or that is killed itself and resumed
//! with another number of them, ends with the bits of a run without workers; no process is left. A
//! fault inside a worker ends the run as it does without workers, and names the worker.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use artifacts::{Environment, RunDir};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use training::distributed::{PoolOptions, WorkerAddress, WorkerPool};
use training::{Fault, RunError};

use super::injected::require_failure;
use crate::fixture::{Fixture, NAME};
use crate::interrupted_run::{InterruptedRun, Reference};
use crate::process::{Process, Signal};
use crate::tally::{CaseResult, ScenarioResult, Tally};
use crate::{Settings, random};

/// Steps of four parts, the last one shorter than the others.
const PARTS: [&str; 6] = [
    "--set",
    "training.batch_size=5",
    "--set",
    "training.accumulation=4",
    "--set",
    "training.epochs=60",
];

/// Exit code of a run that has stopped because too few workers were left.
const TOO_FEW_WORKERS: i32 = 3;

/// Kills until enough processes were killed, then injects faults into workers.
pub fn run(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let reference = Reference::new(settings, &fixture, "alone", &PARTS)?;
    let [of_workers, of_trainers] = [settings.choose(10, 100), settings.choose(5, 50)];
    let mut tally = Tally::default();
    let (mut killed, mut number) = (0, 0);
    while killed < of_workers && tally.failures.is_empty() {
        let before = killed;
        let mut random = random(settings.seed, number);
        let result = kill_workers(&reference, number, &mut random, &mut killed);
        tally.record(format_args!("run {number}, {} kills of workers", killed - before), result);
        number += 1;
    }
    for _ in 0..of_trainers {
        let result = kill_trainer(&reference, number, &mut random(settings.seed, number));
        tally.record(format_args!("run {number}, killed"), result);
        number += 1;
    }
    for fault in [Fault::Input(f32::NAN), Fault::Source, Fault::Loader, Fault::Device] {
        tally.record(format_args!("{fault:?}"), fail_in_worker(settings, &fixture, fault));
    }
    tally.cases += killed;
    tally.note = format!("{killed} kills of workers, {of_trainers} of trainers, 4 faults");
    Ok(tally)
}

/// Kills workers of a run until it has finished, as long as others are left.
fn kill_workers(
    reference: &Reference,
    number: usize,
    random: &mut ChaCha8Rng,
    killed: &mut usize,
) -> CaseResult {
    let run = reference.interrupted_run(number)?;
    loop {
        let mut trainer = start(&run, random.random_range(2..=4))?;
        trainer.wait_until_training(&run.run_directory())?;
        while trainer.is_running()? {
            thread::sleep(Duration::from_millis(random.random_range(20..300)));
            let workers = workers_of(trainer.id());
            if let Some(worker) = workers.get(random.random_range(0..workers.len().max(1))) {
                kill(*worker)?;
                *killed += 1;
            }
        }
        let exit = trainer.wait()?;
        if exit.require_code(TOO_FEW_WORKERS).is_err() {
            exit.require_code(0)?;
            return run.finish_and_compare();
        }
    }
}

/// Kills a run with workers at a random time, and resumes it with another number of them or none.
fn kill_trainer(reference: &Reference, number: usize, random: &mut ChaCha8Rng) -> CaseResult {
    let run = reference.interrupted_run(number)?;
    let mut trainer = start(&run, random.random_range(1..=3))?;
    trainer.wait_until(Duration::from_millis(random.random_range(0..3000)))?;
    let workers = workers_of(trainer.id());
    trainer.send(Signal::Kill)?;
    trainer.wait()?;
    require_ended(&workers)?;
    if random.random_bool(0.5) {
        let mut trainer = start(&run, random.random_range(1..=4))?;
        trainer.wait_until(Duration::from_millis(random.random_range(0..2000)))?;
        trainer.send(Signal::Kill)?;
        trainer.wait()?;
    }
    run.finish_and_compare()
}

fn start(run: &InterruptedRun, workers: usize) -> CaseResult<Process> {
    Ok(run.start_or_resume_with(&["--workers", &format!("local:{workers}")])?)
}

/// Ids of the worker processes that a trainer has started.
fn workers_of(trainer: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{trainer}/task")).into_iter().flatten();
    let of_tasks =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let ids: String = of_tasks.collect();
    ids.split_whitespace().filter_map(|id| id.parse().ok()).filter(|id| is_worker(*id)).collect()
}

fn is_worker(process: u32) -> bool {
    let command = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
    command.split('\0').nth(1) == Some("worker")
}

fn kill(process: u32) -> CaseResult {
    Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status()?;
    Ok(())
}

/// Fails if one of these processes has not ended after some seconds.
fn require_ended(workers: &[u32]) -> CaseResult {
    let started = Instant::now();
    while workers.iter().any(|worker| is_worker(*worker)) {
        if started.elapsed() > Duration::from_secs(10) {
            return Err(format!("{workers:?} go on").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Fails unless a fault inside a worker ends the run, with the name of the worker.
fn fail_in_worker(settings: &Settings, fixture: &Fixture, fault: Fault) -> CaseResult {
    // Its workers are those of the program that is tested.
    let alone = &fixture.path("alone").join("runs").join(NAME);
    let experiment = fixture.experiment("flex", &["training.accumulation=2".to_owned()])?;
    let options = PoolOptions {
        addresses: WorkerAddress::parse_all("local:2")?,
        token: String::new(),
        local_token: "of this test".to_owned(),
        program: settings.program.clone(),
        commit: Environment::read(&RunDir::open(alone)?)?.commit,
    };
    let workers = WorkerPool::start(&experiment, options)?;
    let mut run = experiment.start_at(&fixture.free_path("failing"))?;
    run.set_workers(workers);
    let is_expected = |error: &RunError| {
        let kind = match fault {
            Fault::Input(_) => matches!(error, RunError::NonFinite { step: 3, .. }),
            Fault::Source => matches!(error, RunError::NotLoaded { .. }),
            _ => matches!(error, RunError::Panicked { .. }),
        };
        kind && error.to_string().contains("on the worker local")
    };
    require_failure(run, 3, fault, is_expected)
}
