use std::process::ExitCode;

use training::RunDir;

use crate::cli::ReportArgs;
use crate::error::Failure;
use crate::{pictures, print};

/// Draws the report of a run again, or compares it with another run.
pub fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let run = RunDir::open(&args.run)?;
    // Another process may be writing what is read here.
    let _lock = run.lock()?;
    let page = match &args.against {
        Some(other) => pictures::compare(&run, &RunDir::open(other)?)?,
        None => pictures::report(&run, args.device.as_deref())?,
    };
    print::result(&page.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}
