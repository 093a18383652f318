//! `trainer report`: the report of a run, or its comparison with another.

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
    /// Name or directory of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    runs: RunsOption,
    /// Write a comparison with this run instead
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Device of the model [default: the best one]
    #[arg(long, value_name = "DEVICE", conflicts_with = "against")]
    device: Option<String>,
}

pub fn run(args: &ReportArgs, context: &Context) -> Result<(), Failure> {
    let runs = args.runs.path();
    let run = RunDir::open(&find_run(runs, &args.run)?)?;
    // Another process may be writing to the run.
    let _lock = run.lock()?;
    let page = match &args.against {
        Some(other) => pictures::compare(context, &run, &RunDir::open(&find_run(runs, other)?)?)?,
        None => pictures::write_report(context, &run, args.device.as_deref(), None)?,
    };
    print::result(&text::path(&page))
}
