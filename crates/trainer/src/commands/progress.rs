use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use support::ProgressTask;

use crate::ui::EpochEvent;
use crate::{print, style};

/// Progress of several runs: a printed line per finished run, and the progress line.
pub struct GroupProgress {
    total: usize,
    started: Instant,
    is_silent: bool,
    task: ProgressTask,
    done: Mutex<usize>,
}

impl GroupProgress {
    /// Progress of `total` runs. If `is_silent`, only the progress line is shown.
    pub fn new(total: usize, is_silent: bool) -> Self {
        let task = ProgressTask::start("training", total);
        Self { total, started: Instant::now(), is_silent, task, done: Mutex::new(0) }
    }

    /// Shows the epoch that a run has reached.
    pub fn epoch_done(&self, run: &str, EpochEvent { epoch, epochs, .. }: &EpochEvent) {
        let done = *self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let total = self.total;
        self.task.set_message(format!("[{done} of {total}] {run}: epoch {epoch}/{epochs}"));
    }

    /// Prints the result of a run that has ended.
    pub fn run_done(&self, run: &str, result: &str) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        self.task.advance(1);
        if self.is_silent {
            return;
        }
        let per_run = self.started.elapsed().div_f64(*done as f64);
        let left = per_run.mul_f64((self.total - *done) as f64).as_secs().div_ceil(60);
        let counter = style::faint(&format!("[{done} of {}, {left} min left]", self.total));
        print::event(&format!("{counter} {run}: {result}"));
    }
}
