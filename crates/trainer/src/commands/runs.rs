//! `trainer runs`: what there is in a directory of runs.

mod best;
mod compare;
mod list;
mod remove;
mod show;
mod words;

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use training::{RunEntry, RunRecord, list_runs};

use crate::cli::{RunsArgs, RunsCommand};
use crate::error::Failure;

/// Lists, shows, compares or deletes runs, or finds the best one.
pub fn runs(args: &RunsArgs) -> Result<ExitCode, Failure> {
    let place = Place { named: args.runs.as_deref() };
    match &args.command {
        RunsCommand::List(args) => list::list(&place, args),
        RunsCommand::Show(args) => show::show(&place, args),
        RunsCommand::Compare(args) => compare::compare(&place, args),
        RunsCommand::Best(args) => best::best(&place, args),
        RunsCommand::Rm(args) => remove::remove(&place, args),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The directory of the runs.
struct Place<'a> {
    /// The one that the user named.
    named: Option<&'a Path>,
}

impl Place<'_> {
    fn path(&self) -> &Path {
        self.named.unwrap_or(Path::new("runs"))
    }

    /// What there is; nothing before the first run.
    fn list(&self) -> Result<Vec<RunEntry>, Failure> {
        match self.named.is_none() && !self.path().exists() {
            true => Ok(Vec::new()),
            false => Ok(list_runs(self.path())?),
        }
    }

    /// The run that the user named, by its name in this directory or by its path.
    fn read(&self, run: &Path) -> Result<RunRecord, Failure> {
        Ok(RunRecord::read(&self.find(run)?)?)
    }

    /// The path of what the user named.
    fn find(&self, run: &Path) -> Result<PathBuf, Failure> {
        // A link to nowhere is there too.
        let is_there = |path: &PathBuf| path.is_symlink() || path.exists();
        let mut parts = run.components();
        let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        let inside = is_name.then(|| self.path().join(run)).filter(is_there);
        inside.or_else(|| Some(run.to_owned()).filter(is_there)).ok_or_else(|| {
            Failure::usage(format!(
                "there is no run {} in {}\n  `trainer runs list` shows those that there are; --runs names another directory",
                run.display(),
                self.path().display()
            ))
        })
    }
}
