//! Results of steps that stay on a graphics card until they are read back.
//!
//! A read waits until the card has finished all earlier work. So the scores and the norms of the
//! gradients of several steps are read together, and no step between waits for the card.

use burn::tensor::{TensorData, Transaction};
use data::SplitKind;

use super::non_finite::{MeasuredGradients, NonFinite};
use super::{PassProgress, Trainer, TrainingObserver};
use crate::batch::PendingBatch;
use crate::error::RunError;
use crate::fault_injection::Fault;
use crate::model::Scores;

/// Number of steps of a graphics card that are read back together.
pub const READBACK_INTERVAL: usize = 32;

/// A step whose results are on the device.
pub struct PendingStep {
    pub batches: Vec<PendingBatch>,
    pub gradients: MeasuredGradients,
    /// Number of the step, from 1.
    pub step: usize,
    /// Number of the step in its epoch, from 1.
    pub epoch_step: usize,
    pub learning_rate: f64,
    pub fault: Fault,
}

impl Trainer {
    /// Returns true if steps are read back later.
    pub(super) fn defers_readback(&self) -> bool {
        self.readback_interval > 1
    }

    /// Adds a step to the pending ones, and reads all of them back if there are enough.
    pub(super) fn defer(
        &mut self,
        step: PendingStep,
        observer: &mut dyn TrainingObserver,
    ) -> Result<(), RunError> {
        self.pending.push(step);
        if self.pending.len() < self.readback_interval { Ok(()) } else { self.read_back(observer) }
    }

    /// Reads all pending steps back, counts their scores, and fails with the error of the first
    /// failed one. Must precede everything that leaves the process.
    pub(super) fn read_back(
        &mut self,
        observer: &mut dyn TrainingObserver,
    ) -> Result<(), RunError> {
        let steps = std::mem::take(&mut self.pending);
        if steps.is_empty() {
            return Ok(());
        }
        tracing::debug!(steps = steps.len(), "read back");
        self.writer.stopwatch.start_part();
        let mut values = read_all(&steps).into_iter();
        self.writer.stopwatch.end_part(|phases| &mut phases.optimizer);
        for step in &steps {
            let (scores, norm) = self.results_of(step, &mut values)?;
            self.state.add(scores, norm);
            let examples = self.state.scores.count as usize;
            let total = self.source.data.train.len();
            if self.reports() {
                let progress = PassProgress { examples, total, batches: step.epoch_step };
                observer.batch(SplitKind::Train, scores, progress, Some(step.learning_rate));
            }
        }
        Ok(())
    }

    /// The scores of a step and the norm of its gradient, if everything in it is finite.
    fn results_of(
        &self,
        step: &PendingStep,
        values: &mut impl Iterator<Item = TensorData>,
    ) -> Result<(Scores, f64), RunError> {
        let mut scores = Scores::default();
        let mut suspect = "the output of the model";
        for PendingBatch { labels, .. } in &step.batches {
            let (Some(logits), Some(input)) = (values.next(), values.next()) else { break };
            scores += self.optimization.classifier.scores(logits, labels);
            if !input.convert::<f64>().iter::<f64>().all(f64::is_finite) {
                suspect = "the input of the model";
            }
        }
        scores.loss_sum = step.fault.in_loss(scores.loss_sum);
        let norm = values.next().map_or(Ok(0.0), |norms| step.gradients.norm(norms));
        NonFinite::check("loss is", scores.loss(), || suspect.to_owned())
            .and(norm)
            .map(|norm| (scores, norm))
            .map_err(|error| self.non_finite_at(error, step.epoch_step, step.step))
    }
}

/// For each step the logits and the sum of the inputs of each batch, then the norms of the
/// gradients: all with one wait for the device.
fn read_all(steps: &[PendingStep]) -> Vec<TensorData> {
    let mut all = Transaction::default();
    for step in steps {
        for batch in &step.batches {
            all = all.register(batch.logits.clone()).register(batch.input_sum.clone());
        }
        all = all.register(step.gradients.norms.clone());
    }
    all.execute()
}
