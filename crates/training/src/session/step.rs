use std::panic::resume_unwind;
use std::sync::Arc;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use dataset::Moment;
use models::Noise;

use super::{Session, Unread};
use crate::classifier::Batch;
use crate::device;
use crate::error::RunError;
use crate::events::{Events, Pass};
use crate::faults::{self, Fault};
use crate::finite::{self, GradientSums};
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
        let (mut scores, mut parts) = (Scores::default(), Vec::new());
        let mut gradients = GradientsAccumulator::new();
        let batch_size = self.config.training.batch_size(self.data.train.len());
        let step_weight = self.classifier.weight(&self.data.train, items);
        for (part, batch_items) in items.chunks(batch_size).enumerate() {
            let mut batch = self.batch(batch_items, loader.as_deref_mut())?;
            let (seed, step) = (self.state.seed, self.state.step as u64);
            batch.noise = Some(Noise { seed, step, part: part as u64 });
            batch.step_examples = items.len();
            batch.step_weight = step_weight;
            let (logits, part_gradients) = self.differentiate(&mut batch, fault);
            gradients.accumulate(&self.classifier, part_gradients);
            if self.reads_later() {
                parts.push(batch.unread(logits));
            } else {
                scores += self.finite_scores(logits, &batch, fault)?;
            }
        }
        let learning_rate = self.learning_rate(self.state.step);
        let sums = self.follow(gradients.grads(), learning_rate, fault)?;
        self.count_step(scores);
        let (step, epoch_step) = (self.state.step, self.state.epoch_step);
        match sums {
            Some(sums) => {
                let unread = Unread { parts, sums, step, epoch_step, learning_rate, fault };
                self.keep_unread(unread, events)
            }
            None => {
                events.batch(Pass::Train, scores, self.position(), Some(learning_rate));
                Ok(())
            }
        }
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

    /// Logits and gradients of a batch. A loss that is not finite makes gradients that are not.
    fn differentiate(
        &self,
        batch: &mut Batch,
        fault: Option<Fault>,
    ) -> (Tensor<2>, GradientsParams) {
        match fault {
            Some(Fault::Input(value)) => batch.spoil(value),
            Some(Fault::Device) => resume_unwind(Box::new("planted in the device")),
            _ => {}
        }
        self.classifier.differentiate(batch)
    }

    /// The scores of a batch, read now.
    fn finite_scores(
        &self,
        logits: Tensor<2>,
        batch: &Batch,
        fault: Option<Fault>,
    ) -> Result<Scores, RunError> {
        let mut scores = self.classifier.scores(logits.into_data(), batch.labels());
        if let Some(Fault::Loss(value)) = fault {
            scores.loss_sum = value;
        }
        self.require_finite("loss is", scores.loss(), || match batch.is_finite() {
            true => self.bad_parameter(),
            false => "the input of the model".to_owned(),
        })?;
        Ok(scores)
    }

    /// Moves the weights along `gradients`, and tells what is to be read of these later.
    fn follow(
        &mut self,
        mut gradients: GradientsParams,
        learning_rate: f64,
        fault: Option<Fault>,
    ) -> Result<Option<GradientSums>, RunError> {
        if let Some(Fault::Gradient(value)) = fault {
            faults::plant(&self.classifier, &mut gradients, value);
        }
        let mut sums = None;
        if self.reads_later() || !self.optimizer_sums_gradients() {
            sums = Some(GradientSums::of(&self.classifier, &gradients));
        }
        if let Some(sums) = sums.take_if(|_| !self.reads_later()) {
            let bad = sums.first_bad(sums.values.clone().into_data());
            let (path, sum) = bad.unwrap_or(("", 0.0));
            self.require_finite("gradients add up to", sum, || format!("that of `{path}`"))?;
        }
        if let Some(clipping) = self.config.training.gradient_clipping {
            gradients = clipping.apply(&self.classifier, gradients);
        }
        let step_size = self.config.optimizer.step_size(learning_rate);
        self.classifier = self.optimizer.step(step_size, self.classifier.clone(), gradients);
        let sum = self.gradient_sum.take().filter(|_| self.optimizer_sums_gradients());
        if let Some(sum) = sum.filter(|_| !self.reads_later()) {
            // A weight that follows a gradient which is not finite is not finite either.
            let path = || finite::bad_parameter(&self.classifier);
            self.require_finite("gradients add up to", sum.into_scalar(), || {
                path().map_or("only their sum".to_owned(), |path| format!("that of `{path}`"))
            })?;
        }
        if let Some((ema, average)) = self.config.training.ema.zip(self.average.take()) {
            self.average = Some(ema.follow(average, &self.classifier, self.state.step + 1));
        }
        Ok(sums)
    }

    /// Whether the sum of the gradients as they are costs no pass of its own: clipped ones are others.
    fn optimizer_sums_gradients(&self) -> bool {
        let training = &self.config.training;
        self.config.optimizer.sums_gradients() && training.gradient_clipping.is_none()
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
