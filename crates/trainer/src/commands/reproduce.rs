//! Runs experiments with a `[reference]` over several seeds and compares what they reach.

mod experiments;
mod order;
mod runs;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use training::RunDir;

use super::pool::cores;
use super::progress::Progress;
use crate::cli::ReproduceArgs;
use crate::error::Failure;
use crate::{print, signals};
use order::Order;
use runs::{Job, Runs};
use table::Table;

/// Trains every experiment with every seed, prints the table and saves it.
pub fn reproduce(args: &ReproduceArgs) -> Result<ExitCode, Failure> {
    let order = match &args.resume {
        Some(directory) => Order::read(directory)?,
        None => Order::of(args),
    };
    let experiments = experiments::find(&order)?;
    training::choose(order.device.as_deref()).map_err(|error| Failure::usage(error.to_string()))?;
    let directory = directory(args, &order)?;
    let jobs = Job::all(&experiments, order.seeds);
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let progress = Arc::new(Progress::new(jobs.len()));
    let runs = Runs::new(&directory, order.device.as_deref(), &signals, &progress);
    let outcomes = runs.all(&jobs, args.jobs.map_or_else(cores, |jobs| usize::from(jobs.get())));
    progress.clear();
    if let Some(stop) = signals.received() {
        print::result(&format!(
            "stopped; what is done is kept\ncontinue: trainer reproduce --resume {}",
            directory.display()
        ))?;
        return Ok(ExitCode::from(signals::exit_code(stop)));
    }
    let table = Table::new(&experiments, &outcomes);
    table.save(&directory)?;
    print::result(&format!("{table}\nsaved as {}", directory.join("table.md").display()))?;
    Ok(if table.is_reproduced() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The directory of all runs: that of an earlier call, the one named, or a new one.
fn directory(args: &ReproduceArgs, order: &Order) -> Result<PathBuf, Failure> {
    if let Some(directory) = &args.resume {
        return Ok(directory.clone());
    }
    if let Some(taken) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::usage(format!(
            "{} exists\n  continue what was stopped there with --resume, or name another one with --out",
            taken.display()
        )));
    }
    let (directory, _lock) = RunDir::create(args.out.as_deref(), "reproduce")?;
    order.save(directory.path())?;
    Ok(directory.path().to_owned())
}
