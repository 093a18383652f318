//! Runs the experiments that have a `[reference]` over several seeds and compares their scores.

mod experiments;
mod runs;
mod spec;
mod spread;
mod table;

use std::process::ExitCode;
use std::sync::Arc;

use training::{RunError, device};

use super::progress::GroupProgress;
use super::run_group::directory;
use super::worker_pool::workers;
use crate::cli::ReproduceArgs;
use crate::context::Context;
use crate::error::{Failure, signal_exit_code};
use crate::{print, signals, style, text};
use runs::{Job, JobRunner};
use spec::ReproduceSpec;
use table::ReferenceTable;

/// Trains every experiment with every seed, then prints and saves the table.
pub fn reproduce(args: &ReproduceArgs, context: &Context) -> Result<ExitCode, Failure> {
    let spec = match &args.resume {
        Some(directory) => ReproduceSpec::read(directory)?,
        None => ReproduceSpec::new(args),
    };
    let experiments = experiments::find(&spec, context.models)?;
    device::select(spec.device.as_deref()).map_err(RunError::from)?;
    let (resume, out) = (args.resume.as_deref(), args.out.as_deref());
    let directory = directory(resume, out, "reproduce", |directory| spec.save(directory))?;
    let jobs = Job::all(&experiments, spec.seeds);
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
    let progress = Arc::new(GroupProgress::new(jobs.len(), args.json));
    let device = spec.device.as_deref();
    let runner = JobRunner { context, directory: &directory, device, signals: &signals, progress };
    let results = runner.run_all(&jobs, workers(args.jobs));
    drop(runner);
    if let Some(stop) = signals.received() {
        let next = format!("continue: trainer reproduce --resume {}", text::path(&directory));
        print::result(&format!("stopped; finished runs are kept\n{}", style::faint(&next)))?;
        return Ok(ExitCode::from(signal_exit_code(stop)));
    }
    let table = ReferenceTable::new(&experiments, &results);
    table.save(&directory)?;
    let saved = style::faint(&format!("saved to {}", text::path(&directory.join("table.md"))));
    print::result(&if args.json {
        format!("{:#}", serde_json::json!(table))
    } else {
        format!("{table}\n{saved}")
    })?;
    Ok(if table.is_reproduced() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
