//! A directory with several runs, which a later call can continue.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use artifacts::{RunDir, Summary};
use support::ProgressTask;
use training::{Experiment, Run, Stop, StopSource, Ui};

use super::RUNS_DIR;
use crate::context::Context;
use crate::error::Failure;
use crate::signals::Signals;
use crate::ui::{EpochEvent, plain};
use crate::{print, style, text};

/// Trains the runs of a group.
pub struct RunGroup<'a> {
    pub context: &'a Context<'a>,
    pub directory: &'a Path,
    pub device: Option<&'a str>,
    pub signals: &'a Signals,
    /// Maximum number of parallel runs, by default the number of CPU cores.
    pub jobs: Option<NonZeroU16>,
    pub progress: Arc<GroupProgress>,
}

/// A run of a group.
pub enum GroupRun {
    /// An earlier call finished it.
    Finished(RunDir, Box<Summary>),
    /// It starts now, or continues.
    Open(Box<Run>),
}

/// Directory of a group: `resume`, or a new one at `out`, by default named after `name`. `save`
/// writes what a later call needs into a new one.
pub fn directory(
    resume: Option<&Path>,
    out: Option<&Path>,
    name: &str,
    save: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    if let Some(directory) = resume {
        return Ok(directory.to_owned());
    }
    if let Some(existing) = out.filter(|out| out.exists()) {
        return Err(Failure::usage(format!(
            "{} exists\n  continue it with --resume, or choose another directory with --out",
            existing.display()
        )));
    }
    let (directory, _lock) = match out {
        Some(out) => RunDir::create(out)?,
        None => RunDir::create_numbered(Path::new(RUNS_DIR), name)?,
    };
    save(directory.path())?;
    Ok(directory.path().to_owned())
}

impl RunGroup<'_> {
    /// Calls `work` on each of `jobs` in several threads, until all are done, a signal is received or it
    /// returns `None`.
    pub fn run_parallel<J: Sync, R: Send>(
        &self,
        jobs: &[J],
        work: impl Fn(&J) -> Option<R> + Sync,
    ) -> Vec<R> {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let workers = self.jobs.map_or_else(cores, |jobs| usize::from(jobs.get()));
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..workers.min(jobs.len()) {
                scope.spawn(|| {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                        && self.signals.received().is_none()
                        && let Some(result) = work(job)
                    {
                        results.lock().map(|mut results| results.push(result)).ok();
                    }
                });
            }
        });
        results.into_inner().unwrap_or_default()
    }

    /// Opens the run called `name`: finished, resumed or new.
    pub fn open(&self, experiment: Experiment, name: &str) -> Result<GroupRun, Failure> {
        let path = self.directory.join(name);
        let Ok(earlier) = RunDir::open(&path) else {
            return Ok(GroupRun::Open(Box::new(experiment.start_at(&path)?)));
        };
        Ok(match experiment.finished(&earlier)? {
            Some(summary) => GroupRun::Finished(earlier, Box::new(summary)),
            None => GroupRun::Open(Box::new(experiment.resume(earlier)?)),
        })
    }

    /// Shows the epochs of the run called `name`, which ends at `stop`.
    pub fn ui(&self, name: String, stop: StopSource) -> Ui {
        let progress = Arc::clone(&self.progress);
        let renderer = plain(move |epoch| progress.epoch_done(&name, epoch));
        Ui { renderer, ..Ui::silent(stop) }
    }

    /// Prints how to continue the `command` that a signal has stopped.
    pub fn stopped(&self, command: &str) -> Result<(), Failure> {
        let next = format!("continue: trainer {command} --resume {}", text::path(self.directory));
        print::result(&format!("stopped; finished runs are kept\n{}", style::faint(&next)))?;
        Err(Failure::stopped("", self.signals.received().unwrap_or(Stop::Interrupted)))
    }
}

/// Progress of a group: a printed line per finished run, and the progress line.
pub struct GroupProgress {
    started: Instant,
    is_silent: bool,
    task: ProgressTask,
    /// Number of runs that have ended, and of all.
    runs: Mutex<(usize, usize)>,
}

impl GroupProgress {
    /// Progress of `total` runs. If `is_silent`, only the progress line is shown.
    pub fn new(total: usize, is_silent: bool) -> Arc<Self> {
        let task = ProgressTask::start("training", total);
        Arc::new(Self { started: Instant::now(), is_silent, task, runs: Mutex::new((0, total)) })
    }

    /// Adds runs to the total.
    pub fn add_runs(&self, count: usize) {
        let mut runs = self.lock();
        runs.1 += count;
        self.task.set_total(runs.1);
    }

    /// Prints the result of a run that has ended.
    pub fn run_done(&self, run: &str, result: &str) {
        let mut runs = self.lock();
        runs.0 += 1;
        self.task.advance(1);
        if self.is_silent {
            return;
        }
        let (done, total) = *runs;
        let per_run = self.started.elapsed().div_f64(done as f64);
        let left = per_run.mul_f64(total.saturating_sub(done) as f64).as_secs().div_ceil(60);
        let counter = style::faint(&format!("[{done} of {total}, {left} min left]"));
        print::event(&format!("{counter} {run}: {result}"));
    }

    fn epoch_done(&self, run: &str, EpochEvent { epoch, epochs, .. }: &EpochEvent) {
        let (done, total) = *self.lock();
        self.task.set_message(format!("[{done} of {total}] {run}: epoch {epoch}/{epochs}"));
    }

    fn lock(&self) -> MutexGuard<'_, (usize, usize)> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
