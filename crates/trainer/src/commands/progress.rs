use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use support::ProgressTask;

use crate::ui::EpochEvent;
use crate::{print, style};

/// Progress of several runs: a printed line per finished run, and the progress line.
pub struct GroupProgress {
    started: Instant,
    is_silent: bool,
    task: ProgressTask,
    runs: Mutex<Runs>,
}

/// Numbers of runs.
#[derive(Clone, Copy)]
struct Runs {
    done: usize,
    total: usize,
}

impl GroupProgress {
    /// Progress of `total` runs. If `is_silent`, only the progress line is shown.
    pub fn new(total: usize, is_silent: bool) -> Self {
        let task = ProgressTask::start("training", total);
        let runs = Mutex::new(Runs { done: 0, total });
        Self { started: Instant::now(), is_silent, task, runs }
    }

    /// Adds runs to the total.
    pub fn add_runs(&self, count: usize) {
        let mut runs = self.lock();
        runs.total += count;
        self.task.set_total(runs.total);
    }

    /// Shows the epoch that a run has reached.
    pub fn epoch_done(&self, run: &str, EpochEvent { epoch, epochs, .. }: &EpochEvent) {
        let Runs { done, total } = *self.lock();
        self.task.set_message(format!("[{done} of {total}] {run}: epoch {epoch}/{epochs}"));
    }

    /// Prints the result of a run that has ended.
    pub fn run_done(&self, run: &str, result: &str) {
        let mut runs = self.lock();
        runs.done += 1;
        self.task.advance(1);
        if self.is_silent {
            return;
        }
        let Runs { done, total } = *runs;
        let per_run = self.started.elapsed().div_f64(done as f64);
        let left = per_run.mul_f64(total.saturating_sub(done) as f64).as_secs().div_ceil(60);
        let counter = style::faint(&format!("[{done} of {total}, {left} min left]"));
        print::event(&format!("{counter} {run}: {result}"));
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
