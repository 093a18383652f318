//! One line per epoch, and the progress line.

use burn::train::renderer::MetricsRenderer;
use support::ProgressTask;

use super::renderer::{Display, EpochEvent, Progress, Renderer};

/// Units of progress per epoch.
const EPOCH_UNITS: usize = 1000;

/// Renderer that calls `on_epoch` after each epoch and reports the progress of the run.
pub fn plain(on_epoch: impl Fn(&EpochEvent) + Send + Sync + 'static) -> Box<dyn MetricsRenderer> {
    Box::new(Renderer::new(Plain { on_epoch, task: None }))
}

struct Plain<F> {
    on_epoch: F,
    task: Option<ProgressTask>,
}

impl<F: Fn(&EpochEvent) + Send + Sync> Display for Plain<F> {
    fn progress(&mut self, progress: &Progress) {
        let Progress { epochs, epochs_done, .. } = *progress;
        let done = epochs_done * EPOCH_UNITS;
        let start = || ProgressTask::resume("training", done, epochs * EPOCH_UNITS);
        let task = self.task.get_or_insert_with(start);
        if !progress.is_validating {
            task.set_done(done + (progress.fraction() * EPOCH_UNITS as f64) as usize);
        }
    }

    fn epoch_done(&mut self, epoch: &EpochEvent) {
        (self.on_epoch)(epoch);
    }
}
