//! Runs experiments with a `[reference]` over several seeds and compares what they reach.

mod experiments;
mod order;
mod runs;
mod table;

use std::process::ExitCode;
use std::sync::Arc;

use super::batch::directory;
use super::pool::cores;
use super::progress::Progress;
use crate::cli::ReproduceArgs;
use crate::error::Failure;
use crate::{print, signals, style};
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
    let (resume, out) = (args.resume.as_deref(), args.out.as_deref());
    let directory = directory(resume, out, "reproduce", |directory| order.save(directory))?;
    let jobs = Job::all(&experiments, order.seeds);
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let progress = if args.json { Progress::silent(jobs.len()) } else { Progress::new(jobs.len()) };
    let progress = Arc::new(progress);
    let runs = Runs::new(&directory, order.device.as_deref(), &signals, &progress);
    let outcomes = runs.all(&jobs, args.jobs.map_or_else(cores, |jobs| usize::from(jobs.get())));
    drop(progress);
    if let Some(stop) = signals.received() {
        let next = format!("continue: trainer reproduce --resume {}", directory.display());
        print::result(&format!("stopped; what is done is kept\n{}", style::faint(&next)))?;
        return Ok(ExitCode::from(signals::exit_code(stop)));
    }
    let table = Table::new(&experiments, &outcomes);
    table.save(&directory)?;
    let saved = style::faint(&format!("saved as {}", directory.join("table.md").display()));
    print::result(&match args.json {
        true => format!("{:#}", serde_json::json!(table)),
        false => format!("{table}\n{saved}"),
    })?;
    Ok(if table.is_reproduced() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
