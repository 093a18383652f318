use data::SplitKind;

use crate::model::Scores;

/// Receives the progress of a training, and can stop it.
pub trait TrainingObserver {
    /// A pass over `total` examples of `split` starts.
    fn start_pass(&mut self, split: SplitKind, epoch: usize, total: usize);

    /// A batch is done; `learning_rate` is that of its step, if it was trained on.
    fn batch(
        &mut self,
        split: SplitKind,
        scores: Scores,
        progress: PassProgress,
        learning_rate: Option<f64>,
    );

    /// The pass ends.
    fn end_pass(&mut self, split: SplitKind, epoch: usize);

    /// The epoch ends, its validation included.
    fn end_epoch(&mut self, epoch: usize);

    fn stop_requested(&self) -> bool;

    /// The error of the observer, which ends the training.
    fn failure(&self) -> Option<String>;
}

#[derive(Debug, Clone, Copy)]
pub struct PassProgress {
    pub examples: usize,
    pub total: usize,
    pub batches: usize,
}
