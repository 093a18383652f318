//! Runs experiments with a `[reference]` over several seeds and compares what they reach.

mod experiments;
mod progress;
mod runs;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use training::RunDir;

use crate::cli::ReproduceArgs;
use crate::error::Failure;
use crate::{print, signals};
use experiments::Experiment;
use progress::Progress;
use runs::{Job, Runs};
use table::Table;

/// Trains every experiment with every seed, prints the table and saves it.
pub fn reproduce(args: &ReproduceArgs) -> Result<ExitCode, Failure> {
    let experiments = experiments::find(args)?;
    let jobs = Job::all(&experiments, args.seeds);
    let directory = directory(args)?;
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let progress = Arc::new(Progress::new(jobs.len()));
    let runs = Runs::new(&directory, args.device.as_deref(), &signals, &progress);
    let outcomes = runs.all(&jobs, args.jobs.map_or_else(cores, |jobs| usize::from(jobs.get())));
    progress.clear();
    if let Some(stop) = signals.received() {
        print::result(&format!(
            "stopped; what is done is kept\ncontinue: trainer reproduce --resume {}",
            directory.display()
        ))?;
        return Ok(ExitCode::from(signals::exit_code(stop)));
    }
    let table = Table::new(&experiments, outcomes);
    table.save(&directory)?;
    print::result(&format!("{table}\nsaved as {}", directory.join("table.md").display()))?;
    Ok(if table.is_reproduced() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The directory of all runs: that of an earlier call, the one named, or a new one.
fn directory(args: &ReproduceArgs) -> Result<PathBuf, Failure> {
    if let Some(directory) = &args.resume {
        return match directory.is_dir() {
            true => Ok(directory.clone()),
            false => Err(Failure::usage(format!(
                "there is no directory {}\n  name the one of an earlier `trainer reproduce`",
                directory.display()
            ))),
        };
    }
    let out: Option<&Path> = args.out.as_deref();
    Ok(RunDir::create(out, "reproduce")?.path().to_owned())
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What the experiments are, for messages.
fn names(experiments: &[Experiment]) -> String {
    let names: Vec<_> = experiments.iter().map(|experiment| experiment.name()).collect();
    names.join(", ")
}
