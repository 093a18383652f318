use std::process::ExitCode;

use artifacts::RunDir;

use super::runs::find_run;
use crate::cli::ReportArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::{pictures, print, text};

/// Writes the report of a run again, or a comparison with another run.
pub fn report(args: &ReportArgs, context: &Context) -> Result<ExitCode, Failure> {
    let runs = args.runs.path();
    let run = RunDir::open(&find_run(runs, &args.run)?)?;
    // Another process may be writing to the run.
    let _lock = run.lock()?;
    let page = match &args.against {
        Some(other) => pictures::compare(context, &run, &RunDir::open(&find_run(runs, other)?)?)?,
        None => pictures::report(context, &run, args.device.as_deref())?,
    };
    print::result(&text::path(&page))?;
    Ok(ExitCode::SUCCESS)
}
