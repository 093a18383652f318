use std::collections::BTreeSet;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

use artifacts::{ArtifactError, RunDir};

use super::RunsDirectory;
use crate::cli::RunsRmArgs;
use crate::error::Failure;
use crate::table::size;
use crate::{print, text};

/// Deletes the given runs, or none of them if one cannot be deleted.
pub fn remove(directory: &RunsDirectory, args: &RunsRmArgs) -> Result<(), Failure> {
    let paths = args.runs_to_delete.iter().map(|run| directory.find(run));
    // A run may be given twice.
    let paths: BTreeSet<PathBuf> = paths.collect::<Result<_, _>>()?;
    let runs = paths.iter().map(|path| DeletableRun::open(path));
    let runs: Vec<_> = runs.collect::<Result<_, ArtifactError>>()?;
    if !args.yes && !is_confirmed(&runs)? {
        return print::result("nothing deleted");
    }
    for run in runs {
        let DeletableRun { directory, size } = run;
        let path = text::path(directory.path());
        directory.remove()?;
        print::result(&format!("deleted {path} ({size})"))?;
    }
    Ok(())
}

/// A run that may be deleted, with its size on disk.
struct DeletableRun {
    directory: RunDir,
    size: String,
}

impl DeletableRun {
    fn open(path: &Path) -> Result<Self, ArtifactError> {
        let directory = RunDir::removable(path)?;
        let bytes = directory.files()?.iter().map(|file| file.bytes).sum();
        Ok(Self { directory, size: size(bytes) })
    }
}

fn is_confirmed(runs: &[DeletableRun]) -> Result<bool, Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::usage(
            "cannot ask for confirmation without a terminal\n  pass --yes to delete without confirmation",
        ));
    }
    let lines =
        runs.iter().map(|run| format!("  {} ({})\n", text::path(run.directory.path()), run.size));
    print::confirm(&format!("delete permanently?\n{}[y/N] ", lines.collect::<String>()))
}
