use std::collections::BTreeSet;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use artifacts::RunDir;
use clap::Args;

use super::{RunsDirectory, find_run};
use crate::error::Failure;
use crate::table::size;
use crate::{print, text};

#[derive(Debug, Args)]
pub struct RunsRmArgs {
    /// Names or directories of the runs
    #[arg(value_name = "RUN", required = true)]
    runs_to_delete: Vec<PathBuf>,
    /// Delete without confirmation
    #[arg(short, long)]
    yes: bool,
}

/// Deletes the given runs, or none of them if one cannot be deleted.
pub fn remove(directory: &RunsDirectory, args: &RunsRmArgs) -> Result<(), Failure> {
    let paths = args.runs_to_delete.iter().map(|run| find_run(directory.path(), run));
    // A run may be given twice.
    let paths: BTreeSet<PathBuf> = paths.collect::<Result<_, _>>()?;
    let mut runs = Vec::new();
    for path in &paths {
        let run = RunDir::removable(path)?;
        let bytes = run.files()?.iter().map(|file| file.bytes).sum();
        runs.push((format!("{} ({})", text::path(run.path()), size(bytes)), run));
    }
    if !args.yes {
        if !stdin().is_terminal() {
            return Err(Failure::usage(
                "cannot ask for confirmation without a terminal\n  pass --yes to delete without confirmation",
            ));
        }
        let lines: String = runs.iter().map(|(name, _)| format!("  {name}\n")).collect();
        if !print::confirm(&format!("delete permanently?\n{lines}[y/N] "))? {
            return print::result("nothing deleted");
        }
    }
    for (name, run) in runs {
        run.remove()?;
        print::result(&format!("deleted {name}"))?;
    }
    Ok(())
}
