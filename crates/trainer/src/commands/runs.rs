//! `trainer runs`: lists, shows, compares and deletes the runs of a directory.

mod best;
mod compare;
mod format;
mod list;
mod remove;
mod show;

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use training::ModelRegistry;
use training::runs::{self, RunEntry, RunRecord};

use super::RUNS_DIR;
use crate::cli::{RunsArgs, RunsCommand};
use crate::context::Context;
use crate::error::Failure;

/// Runs a subcommand of `trainer runs`.
pub fn runs(args: &RunsArgs, context: &Context) -> Result<ExitCode, Failure> {
    let directory = RunsDirectory { argument: args.runs.as_deref(), models: context.models };
    match &args.command {
        RunsCommand::List(args) => list::list(&directory, args),
        RunsCommand::Show(args) => show::show(&directory, args),
        RunsCommand::Compare(args) => compare::compare(&directory, args),
        RunsCommand::Best(args) => best::best(&directory, args),
        RunsCommand::Rm(args) => remove::remove(&directory, args),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Directory that contains runs.
struct RunsDirectory<'a> {
    /// Value of `--runs`.
    argument: Option<&'a Path>,
    models: &'a ModelRegistry,
}

impl RunsDirectory<'_> {
    fn path(&self) -> &Path {
        self.argument.unwrap_or(Path::new(RUNS_DIR))
    }

    /// Lists the entries of the directory; none before the first run.
    fn list(&self) -> Result<Vec<RunEntry>, Failure> {
        if self.argument.is_none() && !self.path().exists() {
            return Ok(Vec::new());
        }
        Ok(runs::list(self.path(), self.models)?)
    }

    /// Reads a run by its name in this directory or by its path.
    fn read(&self, run: &Path) -> Result<RunRecord, Failure> {
        Ok(RunRecord::read(&self.find(run)?, self.models)?)
    }

    /// Returns the path of a run, given its name in this directory or its path.
    fn find(&self, run: &Path) -> Result<PathBuf, Failure> {
        let mut parts = run.components();
        let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        let candidates = [is_name.then(|| self.path().join(run)), Some(run.to_owned())];
        candidates.into_iter().flatten().find(|path| exists(path)).ok_or_else(|| {
            Failure::usage(format!(
                "no run {} in {}\n  `trainer runs list` lists the runs; choose another directory with --runs",
                run.display(),
                self.path().display()
            ))
        })
    }
}

/// Returns true if there is anything at `path`, even a broken symbolic link.
fn exists(path: &Path) -> bool {
    path.is_symlink() || path.exists()
}
