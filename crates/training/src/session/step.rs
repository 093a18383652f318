use std::panic::resume_unwind;
use std::sync::Arc;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::train::TrainStep;
use dataset::Moment;
use models::Noise;

use super::Session;
use crate::classifier::Batch;
use crate::device;
use crate::error::RunError;
use crate::events::{Events, Pass};
use crate::faults::{self, Fault};
use crate::finite;
use crate::loader::{Loader, Source, Work, keeps_whole};
use crate::scores::Scores;

impl Session {
    /// What gathers the batches of `steps`, unless the whole training set is on the device.
    pub(super) fn loader(&mut self, steps: &[&[usize]]) -> Result<Option<Loader>, RunError> {
        let is_processor = self.config.device.as_deref().is_some_and(device::is_processor);
        if keeps_whole(&self.config, &self.data.train, is_processor) {
            return Ok(None);
        }
        let batch_size = self.config.training.batch_size(self.data.train.len());
        let mut work = Vec::new();
        for (index, items) in steps.iter().enumerate() {
            let fault = self.faults.of_loader(self.state.step + 1 + index);
            let step = (self.state.step + index) as u64;
            let parts = items.chunks(batch_size).zip(0..);
            work.extend(parts.map(|(items, part)| Work {
                items: items.into(),
                moment: Moment { step, part },
                fault,
            }));
        }
        let source = Source {
            data: Arc::clone(&self.data),
            scaler: self.classifier.scaler(),
            augmenter: self.augmenter.clone(),
            epoch: self.state.epoch as u64,
            parallel: self.config.training.loader.workers == 0,
        };
        let loader = Loader::start(&self.config.training.loader, source, work);
        loader.map(Some).map_err(|reason| self.not_loaded(reason))
    }

    /// One step along the mean gradient of `items`, taken batch by batch.
    pub(super) fn step(
        &mut self,
        items: &[usize],
        mut loader: Option<&mut Loader>,
        events: &mut Events,
    ) -> Result<(), RunError> {
        let fault = self.faults.take(self.state.step + 1);
        let mut scores = Scores::default();
        let mut gradients = GradientsAccumulator::new();
        let batch_size = self.config.training.batch_size(self.data.train.len());
        let step_weight = self.classifier.weight(&self.data.train, items);
        for (part, batch_items) in items.chunks(batch_size).enumerate() {
            let mut batch = self.batch(batch_items, loader.as_deref_mut())?;
            let (seed, step) = (self.state.seed, self.state.step as u64);
            batch.noise = Some(Noise { seed, step, part: part as u64 });
            batch.step_examples = items.len();
            batch.step_weight = step_weight;
            let (part_scores, part_gradients) = self.differentiate(batch, fault)?;
            gradients.accumulate(&self.classifier, part_gradients);
            scores += part_scores;
        }
        let learning_rate = self.learning_rate(self.state.step);
        self.follow(gradients.grads(), learning_rate, fault)?;
        self.count_step(scores);
        events.batch(Pass::Train, scores, self.position(), Some(learning_rate));
        Ok(())
    }

    /// A batch of the training set on the device: the next of `loader`, or else `items`.
    fn batch(&mut self, items: &[usize], loader: Option<&mut Loader>) -> Result<Batch, RunError> {
        let (classifier, device) = (&self.classifier, &self.device);
        let examples = &self.data.train;
        if let Some(loader) = loader {
            let gathered = loader.next().map_err(|reason| self.not_loaded(reason))?;
            return Ok(classifier.place(gathered, examples.shape, device));
        }
        let whole = match &self.whole {
            Some(whole) => whole,
            None => {
                let all: Vec<usize> = (0..examples.len()).collect();
                self.whole.insert(classifier.batch(examples, &all, device)?)
            }
        };
        Ok(if items.len() == examples.len() {
            whole.clone()
        } else {
            classifier.part(whole, items)
        })
    }

    /// Scores and gradients of a batch. A loss that is not finite makes gradients that are not.
    fn differentiate(
        &self,
        mut batch: Batch,
        fault: Option<Fault>,
    ) -> Result<(Scores, GradientsParams), RunError> {
        match fault {
            Some(Fault::Input(value)) => batch.spoil(value),
            Some(Fault::Device) => resume_unwind(Box::new("planted in the device")),
            _ => {}
        }
        let mut output = TrainStep::step(&self.classifier, batch.clone());
        if let Some(Fault::Loss(value)) = fault {
            output.item.loss_sum = value;
        }
        self.require_finite("loss is", output.item.loss(), || match batch.is_finite() {
            true => self.bad_parameter(),
            false => "the input of the model".to_owned(),
        })?;
        Ok((output.item, output.grads))
    }

    /// Moves the weights along `gradients`.
    fn follow(
        &mut self,
        mut gradients: GradientsParams,
        learning_rate: f64,
        fault: Option<Fault>,
    ) -> Result<(), RunError> {
        if let Some(Fault::Gradient(value)) = fault {
            faults::plant(&self.classifier, &mut gradients, value);
        }
        if !self.optimizer_sums_gradients() {
            let sum = finite::gradient_sum(&self.classifier, &gradients);
            self.require_finite_gradients(sum, || {
                finite::bad_gradient(&self.classifier, &gradients)
            })?;
        }
        if let Some(clipping) = self.config.training.gradient_clipping {
            gradients = clipping.apply(&self.classifier, gradients);
        }
        let step_size = self.config.optimizer.step_size(learning_rate);
        self.classifier = self.optimizer.step(step_size, self.classifier.clone(), gradients);
        if let Some(sum) = self.gradient_sum.take().filter(|_| self.optimizer_sums_gradients()) {
            // A weight that follows a gradient which is not finite is not finite either.
            self.require_finite_gradients(sum, || finite::bad_parameter(&self.classifier))?;
        }
        if let Some((ema, average)) = self.config.training.ema.zip(self.average.take()) {
            self.average = Some(ema.follow(average, &self.classifier, self.state.step + 1));
        }
        Ok(())
    }

    /// Whether the sum of the gradients as they are costs no pass of its own: clipped ones are others.
    fn optimizer_sums_gradients(&self) -> bool {
        let training = &self.config.training;
        self.config.optimizer.sums_gradients() && training.gradient_clipping.is_none()
    }

    fn require_finite_gradients(
        &self,
        sum: f64,
        path: impl FnOnce() -> Option<String>,
    ) -> Result<(), RunError> {
        self.require_finite("gradients add up to", sum, || {
            path().map_or("only their sum".to_owned(), |path| format!("that of `{path}`"))
        })
    }

    fn count_step(&mut self, scores: Scores) {
        self.state.scores += scores;
        self.state.epoch_step += 1;
        self.state.step += 1;
    }

    /// Fails, with what `where_from` finds to be the first tensor that is not finite.
    pub(super) fn require_finite(
        &self,
        what: &'static str,
        value: f64,
        where_from: impl FnOnce() -> String,
    ) -> Result<(), RunError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(RunError::NotFinite {
            what,
            value,
            tensor: where_from(),
            epoch: self.state.epoch,
            batch: self.state.epoch_step + 1,
            step: self.state.step + 1,
        })
    }

    pub(super) fn bad_parameter(&self) -> String {
        let path = finite::bad_parameter(&self.classifier);
        path.map_or("the output of the model".to_owned(), |path| format!("`{path}`"))
    }

    fn not_loaded(&self, reason: String) -> RunError {
        let (epoch, batch) = (self.state.epoch, self.state.epoch_step + 1);
        RunError::NotLoaded { epoch, batch, reason }
    }
}
