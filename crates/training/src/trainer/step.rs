use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use data::SplitKind;
use models::DropoutRng;

use super::non_finite::{NonFinite, is_finite};
use super::readback::PendingStep;
use super::{Trainer, TrainingObserver};
use crate::batch::{Batch, Loader};
use crate::error::RunError;
use crate::fault_injection::Fault;
use crate::model::Scores;

impl Trainer {
    /// One optimizer step along the mean gradient of `items`, accumulated over micro-batches.
    pub(super) fn step(
        &mut self,
        items: &[usize],
        mut loader: Option<&mut Loader>,
        observer: &mut dyn TrainingObserver,
    ) -> Result<(), RunError> {
        let fault = self.faults.take(self.state.step + 1);
        let (mut scores, mut pending) = (Scores::default(), Vec::new());
        let mut gradients = GradientsAccumulator::new();
        let batch_size = self.config.batch_size(self.source.data.train.len());
        for (micro_batch, micro_items) in items.chunks(batch_size).enumerate() {
            self.writer.stopwatch.start_part();
            let mut batch =
                self.micro_batch(micro_batch, micro_items, items, loader.as_deref_mut())?;
            batch.inputs = fault.in_inputs(batch.inputs);
            self.writer.stopwatch.end_part(|phases| &mut phases.load);
            fault.before_forward();
            let classifier = &self.optimization.classifier;
            let (loss, logits) = classifier.loss(&batch);
            self.writer.stopwatch.end_part(|phases| &mut phases.forward);
            let of_batch = GradientsParams::from_grads(loss.backward(), classifier);
            gradients.accumulate(classifier, of_batch);
            self.writer.stopwatch.end_part(|phases| &mut phases.backward);
            let logits = logits.without_autodiff();
            if self.defers_readback() {
                pending.push(batch.pending(logits));
            } else {
                scores += self.finite_scores(logits, &batch, fault)?;
            }
            self.writer.stopwatch.end_part(|phases| &mut phases.forward);
        }
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

    /// The examples at `micro_items`, a part of the `items` of a step, on the device.
    fn micro_batch(
        &mut self,
        micro_batch: usize,
        micro_items: &[usize],
        items: &[usize],
        loader: Option<&mut Loader>,
    ) -> Result<Batch, RunError> {
        let classifier = &self.optimization.classifier;
        let mut batch = self.source.batch(micro_items, loader, classifier, &self.state)?;
        let (seed, step) = (self.state.seed, self.state.step as u64);
        batch.dropout = Some(DropoutRng { seed, step, micro_batch: micro_batch as u64 });
        batch.step_examples = items.len();
        batch.step_weight = classifier.weight(&self.source.data.train, items);
        Ok(batch)
    }

    /// The scores of a batch, read from the device.
    fn finite_scores(
        &self,
        logits: Tensor<2>,
        batch: &Batch,
        fault: Fault,
    ) -> Result<Scores, RunError> {
        let mut scores = self.optimization.classifier.scores(logits.into_data(), &batch.labels);
        scores.loss_sum = fault.in_loss(scores.loss_sum);
        NonFinite::check("loss is", scores.loss(), || {
            if is_finite(batch.inputs.clone()) {
                self.optimization.non_finite_tensor()
            } else {
                "the input of the model".to_owned()
            }
        })
        .map_err(|error| self.non_finite(error))?;
        Ok(scores)
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
