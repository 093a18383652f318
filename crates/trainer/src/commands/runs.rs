//! `trainer runs`: lists, shows, compares, serves and deletes the runs of a directory.

mod best;
mod compare;
mod list;
mod remove;
#[cfg(feature = "serve")]
mod serve;
mod show;

use std::fs;
use std::path::{Component, Path, PathBuf};

use artifacts::RunStatus;
use clap::{Args, Subcommand};
use config::nearest_name;
use training::ModelRegistry;
use training::runs::{self, RunEntry, RunRecord};

use super::RUNS_DIR;
use crate::context::Context;
use crate::error::Failure;
use crate::style;

#[derive(Debug, Args)]
pub struct RunsArgs {
    #[command(subcommand)]
    command: RunsCommand,
    /// Directory of the runs [default: runs]
    // Another id than that of `train`, whose option a global one would set.
    #[arg(id = "directory", long = "runs", value_name = "DIR", global = true)]
    runs: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List the runs, newest last
    List(list::RunsListArgs),
    /// Show the config, data and results of a run
    Show(show::RunsShowArgs),
    /// Compare runs: results, configs, program versions, data
    Compare(compare::RunsCompareArgs),
    /// Print the path of the finished run with the highest accuracy
    Best(best::RunsBestArgs),
    /// Serve a page that follows the runs
    #[cfg(feature = "serve")]
    Serve(serve::RunsServeArgs),
    /// Delete runs; refuses active runs and other directories
    Rm(remove::RunsRmArgs),
}

pub fn run(args: &RunsArgs, context: &Context) -> Result<(), Failure> {
    let directory = RunsDirectory { argument: args.runs.as_deref(), models: context.models };
    match &args.command {
        RunsCommand::List(args) => list::list(&directory, args),
        RunsCommand::Show(args) => show::show(&directory, args),
        RunsCommand::Compare(args) => compare::compare(&directory, args),
        RunsCommand::Best(args) => best::best(&directory, args),
        #[cfg(feature = "serve")]
        RunsCommand::Serve(args) => serve::serve(&directory, args),
        RunsCommand::Rm(args) => remove::remove(&directory, args),
    }
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
        Ok(RunRecord::read(&find_run(self.path(), run)?, self.models)?)
    }
}

/// Returns the path of a run, given its name in the directory `runs` or its path.
pub fn find_run(runs: &Path, run: &Path) -> Result<PathBuf, Failure> {
    let mut parts = run.components();
    let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    let candidates = [is_name.then(|| runs.join(run)), Some(run.to_owned())];
    candidates.into_iter().flatten().find(|path| exists(path)).ok_or_else(|| {
        Failure::usage(format!(
            "no run {} in {}\n  {}`trainer runs list` lists the runs; choose another directory with --runs",
            run.display(),
            runs.display(),
            similar(runs, run).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default()
        ))
    })
}

/// Returns `input` if there is anything at this path, else the run of this name in `runs`.
pub fn config_or_run(input: &Path, runs: &Path) -> PathBuf {
    let run = runs.join(input);
    if !exists(input) && exists(&run) { run } else { input.to_owned() }
}

/// The name in `runs` that is most similar to that of `run`.
fn similar(runs: &Path, run: &Path) -> Option<String> {
    let names = fs::read_dir(runs).ok()?.flatten();
    let names: Vec<_> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    nearest_name(&run.file_name()?.to_string_lossy(), &names).map(str::to_owned)
}

/// Returns true if there is anything at `path`, even a broken symbolic link.
fn exists(path: &Path) -> bool {
    path.is_symlink() || path.exists()
}

fn status(status: RunStatus) -> String {
    let word = status.as_str();
    match status {
        RunStatus::Running => style::busy(word),
        RunStatus::Finished => style::good(word),
        RunStatus::Stopped | RunStatus::Interrupted => style::doubtful(word),
        RunStatus::Failed => style::bad(word),
    }
}

/// Formats a duration in seconds, or a dash.
fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.1}"))
}

/// Formats the number of completed epochs, such as `3/10`, or `10` if all are completed.
fn epochs(record: &RunRecord) -> String {
    let done = record.epochs_done;
    match record.epochs {
        Some(epochs) if epochs != done => format!("{done}/{epochs}"),
        _ => done.to_string(),
    }
}
