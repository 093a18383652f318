//! `trainer report`: the report of a run, or a comparison of several.

use std::path::PathBuf;

use artifacts::RunDir;
use clap::Args;

use super::runs::find_run;
use crate::cli::RunsOption;
use crate::context::Context;
use crate::error::Failure;
use crate::{pictures, print, text};

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Names or directories of runs; several are compared in one page, in the directory of the first
    #[arg(value_name = "RUN", required = true)]
    run: Vec<PathBuf>,
    #[command(flatten)]
    runs: RunsOption,
    /// Device of the model [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

pub fn run(args: &ReportArgs, context: &Context) -> Result<(), Failure> {
    let open = |run: &PathBuf| Ok(RunDir::open(&find_run(args.runs.path(), run)?)?);
    let runs = args.run.iter().map(open).collect::<Result<Vec<_>, Failure>>()?;
    let Some((first, others)) = runs.split_first() else { return Ok(()) };
    // Another process may be writing to the run.
    let _lock = first.lock()?;
    let page = if others.is_empty() {
        pictures::write_report(context, first, args.device.as_deref(), None)?
    } else {
        pictures::compare(context, first, others)?
    };
    print::result(&text::path(&page))
}
