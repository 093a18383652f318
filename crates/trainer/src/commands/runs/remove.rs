use std::collections::BTreeSet;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

use training::{RunDir, RunError};

use super::Place;
use crate::cli::RunsRmArgs;
use crate::error::Failure;
use crate::print;
use crate::table::size;

/// Deletes runs, all that are named or none.
pub fn remove(place: &Place, args: &RunsRmArgs) -> Result<(), Failure> {
    let paths = args.runs_to_delete.iter().map(|run| place.find(run));
    // Whoever names a run twice means it once.
    let paths: BTreeSet<PathBuf> = paths.collect::<Result<_, _>>()?;
    let runs = paths.iter().map(|path| Doomed::new(path));
    let runs: Vec<_> = runs.collect::<Result<_, RunError>>()?;
    if !args.yes && !is_confirmed(&runs)? {
        return print::result("nothing deleted");
    }
    for run in runs {
        let Doomed { directory, size } = run;
        let path = directory.path().display().to_string();
        directory.remove()?;
        print::result(&format!("deleted {path} ({size})"))?;
    }
    Ok(())
}

/// A run that may be deleted.
struct Doomed {
    directory: RunDir,
    size: String,
}

impl Doomed {
    fn new(path: &Path) -> Result<Self, RunError> {
        let directory = RunDir::removable(path)?;
        let bytes = directory.files()?.iter().map(|file| file.bytes).sum();
        Ok(Self { directory, size: size(bytes) })
    }
}

fn is_confirmed(runs: &[Doomed]) -> Result<bool, Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::usage(
            "there is nobody to ask whether to delete\n  write --yes where there is no terminal",
        ));
    }
    let names =
        runs.iter().map(|run| format!("  {} ({})", run.directory.path().display(), run.size));
    let names = names.collect::<Vec<_>>().join("\n");
    print::asked(&format!("delete for good?\n{names}\n[y/N] "))
}
