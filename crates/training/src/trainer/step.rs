use burn::optim::GradientsAccumulator;
use data::SplitKind;

use super::non_finite::NonFinite;
use super::part::Part;
use super::readback::PendingStep;
use super::{Trainer, TrainingObserver};
use crate::batch::{Loader, PendingBatch};
use crate::error::RunError;
use crate::fault_injection::Fault;
use crate::model::{Classifier, Scores};

/// The sum of the parts of a step.
pub(super) struct StepSum {
    pub fault: Fault,
    gradients: GradientsAccumulator<Classifier>,
    scores: Scores,
    /// Parts whose logits are read later.
    pending: Vec<PendingBatch>,
}

impl Trainer {
    /// One optimizer step along the mean gradient of `items`, accumulated over micro-batches.
    pub(super) fn step(
        &mut self,
        items: &[usize],
        loader: Option<&mut Loader>,
        observer: &mut dyn TrainingObserver,
    ) -> Result<(), RunError> {
        let fault = self.faults.take(self.state.step + 1);
        let (gradients, scores) = (GradientsAccumulator::new(), Scores::default());
        let mut sum = StepSum { fault, gradients, scores, pending: Vec::new() };
        if let Some(mut workers) = self.workers.take() {
            let computed = self.compute_by_workers(workers.as_mut(), items, &mut sum);
            self.workers = Some(workers);
            computed?;
        } else {
            self.compute(items, loader, &mut sum)?;
        }
        let StepSum { mut gradients, scores, pending, .. } = sum;
        let learning_rate = self.learning_rate(self.state.step);
        let mut gradients = gradients.grads();
        fault.in_gradients(&self.optimization.classifier, &mut gradients);
        let gradients =
            self.optimization.apply_gradients(gradients, learning_rate, self.state.step + 1);
        self.writer.stopwatch.end_part(|phases| &mut phases.optimizer);
        if self.defers_readback() {
            self.state.count_step();
            let (step, epoch_step, batches) = (self.state.step, self.state.epoch_step, pending);
            let step = PendingStep { batches, gradients, step, epoch_step, learning_rate, fault };
            return self.defer(step, observer);
        }
        let norm = gradients.norm(gradients.norms.clone().into_data());
        self.state.add(scores, norm.map_err(|error| self.non_finite(error))?);
        self.state.count_step();
        if self.reports() {
            observer.batch(SplitKind::Train, scores, self.progress(), Some(learning_rate));
        }
        Ok(())
    }

    /// Adds the parts of a step of these items to `sum`.
    fn compute(
        &mut self,
        items: &[usize],
        mut loader: Option<&mut Loader>,
        sum: &mut StepSum,
    ) -> Result<(), RunError> {
        let batch_size = self.config.batch_size(self.source.data.train.len());
        for part in items.chunks(batch_size).enumerate() {
            self.writer.stopwatch.start_part();
            let (loader, classifier) = (loader.as_deref_mut(), &self.optimization.classifier);
            let mut batch = self.source.part(part, items, loader, classifier, &self.state)?;
            batch.inputs = sum.fault.in_inputs(batch.inputs);
            self.writer.stopwatch.end_part(|phases| &mut phases.load);
            sum.fault.before_forward();
            let stopwatch = &mut self.writer.stopwatch;
            let end_forward = || stopwatch.end_part(|phases| &mut phases.forward);
            let part = Part::compute(classifier, batch, end_forward);
            stopwatch.end_part(|phases| &mut phases.backward);
            self.add(sum, part)?;
            self.writer.stopwatch.end_part(|phases| &mut phases.forward);
        }
        Ok(())
    }

    /// Adds a part to the `sum` of its step.
    pub(super) fn add(&self, sum: &mut StepSum, part: Part) -> Result<(), RunError> {
        sum.gradients.accumulate(&self.optimization.classifier, part.gradients);
        let Part { logits, labels, inputs, .. } = part;
        if self.defers_readback() {
            let input_sum = inputs.sum(&logits);
            sum.pending.push(PendingBatch { logits, input_sum, labels });
            return Ok(());
        }
        let mut scores = self.optimization.classifier.scores(logits.into_data(), &labels);
        scores.loss_sum = sum.fault.in_loss(scores.loss_sum);
        sum.scores += scores;
        NonFinite::check("loss is", scores.loss(), || {
            inputs.of_worker(if inputs.are_finite() {
                self.optimization.non_finite_tensor()
            } else {
                "the input of the model".to_owned()
            })
        })
        .map_err(|error| self.non_finite(error))
    }

    /// The error of a number that is not finite in the current step.
    pub(super) fn non_finite(&self, error: NonFinite) -> RunError {
        self.non_finite_at(error, self.state.epoch_step + 1, self.state.step + 1)
    }

    /// The error of a number that is not finite in a step of this epoch.
    pub(super) fn non_finite_at(&self, error: NonFinite, batch: usize, step: usize) -> RunError {
        let NonFinite { quantity, value, tensor } = error;
        let (epoch, has_checkpoint) = (self.state.epoch, self.writer.checkpoints.has_checkpoint());
        RunError::NonFinite { quantity, value, tensor, epoch, batch, step, has_checkpoint }
    }
}
