//! The loop of a run: steps, validation, best model, early stopping, checkpoints.

mod recovery;
mod step;
mod unread;

use std::sync::Arc;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use burn::train::InferenceStep;
use dataset::{Augmenter, Split, shuffled};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::classifier::{Batch, Classifier};
use crate::config::RunConfig;
use crate::error::RunError;
use crate::events::{Events, Pass, Position};
use crate::faults::Faults;
use crate::metrics::{MetricsFiles, Row};
use crate::optimizer::GradientSum;
use crate::run_dir::RunDir;
use crate::scores::Scores;
use crate::state::{Best, State};
use crate::tensorboard::EventFile;
use crate::timings::Stopwatch;
pub use recovery::OnNan;
pub use unread::{Part, READ_TOGETHER, Unread};

/// When to stop before the last epoch: `[training.early_stopping]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingConfig {
    /// How many epochs without a better validation score to wait.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub patience: usize,
}

/// Why a run was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C, or the dashboard's `q`.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// Asked after every step: whether to stop now.
pub type StopSource = Box<dyn FnMut() -> Option<Stop> + Send>;

/// Everything that changes while a run goes on, and what it needs to.
pub struct Session {
    /// What is run.
    pub config: RunConfig,
    /// The examples.
    pub data: Arc<Split>,
    /// Where the tensors live, with autodiff.
    pub device: Device,
    /// The weights.
    pub classifier: Classifier,
    /// Their average, if that is evaluated instead; without autodiff.
    pub average: Option<Classifier>,
    /// The state of the optimiser.
    pub optimizer: ModuleOptimizer,
    /// What it tells of its gradients.
    pub gradient_sum: GradientSum,
    /// How many steps are read from the device at once; 1 is each as it goes on.
    pub read_together: usize,
    /// The steps that were not read yet.
    pub unread: Vec<Unread>,
    /// Where the run stands.
    pub state: State,
    /// Where the run leaves everything.
    pub directory: RunDir,
    /// The open metrics files.
    pub metrics: MetricsFiles,
    /// The metrics for TensorBoard.
    pub tensorboard: EventFile,
    /// Where checkpoints go.
    pub checkpoints: Checkpoints,
    /// Whether to stop.
    pub stop: StopSource,
    /// The whole training set on the device, once it was needed, unless it is too large.
    pub whole: Option<Batch>,
    /// What changes the training images.
    pub augmenter: Option<Arc<Augmenter>>,
    /// Times the epoch.
    pub stopwatch: Stopwatch,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

impl Session {
    /// Runs until the last epoch, early stopping or a request to stop. A stop is a checkpoint.
    pub fn run(&mut self, events: &mut Events) -> Result<Option<Stop>, RunError> {
        self.prepare_recovery()?;
        while !self.is_finished() {
            match self.epoch(events) {
                Ok(None) => {}
                Ok(Some(stop)) => {
                    self.commit()?;
                    return Ok(Some(stop));
                }
                Err(error) => self.recover(error)?,
            }
        }
        Ok(None)
    }

    fn epoch(&mut self, events: &mut Events) -> Result<Option<Stop>, RunError> {
        let trained = self.train_epoch(events);
        // What went wrong in an earlier step comes first.
        self.read_steps(events)?;
        let stop = trained?;
        if stop.is_none() {
            self.finish_epoch(events)?;
        }
        Ok(stop)
    }

    fn is_finished(&self) -> bool {
        let patience = self.config.training.early_stopping.as_ref();
        self.state.epoch > self.config.training.epochs
            || patience.is_some_and(|config| self.state.epochs_since_best >= config.patience)
    }

    /// The remaining steps of the epoch.
    fn train_epoch(&mut self, events: &mut Events) -> Result<Option<Stop>, RunError> {
        let epoch = self.state.epoch;
        let reports = self.config.training.reports(epoch);
        let _span = reports.then(|| tracing::debug_span!("train_epoch", epoch).entered());
        let order = self.order(self.data.train.len());
        self.announce_epoch(events, order.len());
        self.stopwatch = Stopwatch::start(self.state.scores.count);
        let steps = order.chunks(self.config.training.step_examples(order.len()));
        let steps: Vec<_> = steps.skip(self.state.epoch_step).collect();
        let mut loader = self.loader(&steps)?;
        for items in steps {
            self.step(items, loader.as_mut(), events)?;
            if let Some(stop) = self.stop_asked(events)? {
                return Ok(Some(stop));
            }
            let every = self.config.training.checkpoint.every_steps;
            if every.is_some_and(|every| self.state.step.is_multiple_of(every)) {
                self.read_steps(events)?;
                self.commit_due()?;
            }
        }
        Ok(None)
    }

    /// The order in which the epoch visits `count` examples. One batch of all needs none.
    fn order(&self, count: usize) -> Vec<usize> {
        match self.config.training.batch_size(count) == count {
            true => (0..count).collect(),
            false => shuffled(count, self.state.seed, self.state.epoch as u64),
        }
    }

    fn announce_epoch(&self, events: &mut Events, total: usize) {
        events.mute(!self.config.training.reports(self.state.epoch));
        events.start(Pass::Train, self.state.epoch, total);
        if self.state.epoch_step > 0 {
            // What an earlier process did of this epoch counts in what is shown of it.
            events.batch(Pass::Train, self.state.scores, self.position(), None);
        }
    }

    fn stop_asked(&mut self, events: &Events) -> Result<Option<Stop>, RunError> {
        if let Some(failure) = events.failure() {
            return Err(RunError::Events(failure));
        }
        let stop = (self.stop)();
        Ok(stop.or(events.stop_asked().then_some(Stop::Interrupted)))
    }

    fn finish_epoch(&mut self, events: &mut Events) -> Result<(), RunError> {
        let epoch = self.state.epoch;
        let reports = self.config.training.reports(epoch);
        events.end(Pass::Train, epoch);
        if reports {
            self.stopwatch.note(epoch, self.state.scores.count, &self.directory)?;
        }
        let validation = if reports { self.report(events)? } else { None };

        self.state.epoch += 1;
        self.state.epoch_step = 0;
        self.state.scores = Scores::default();
        let is_best = validation.is_some_and(|scores| self.note_best(epoch, &scores));
        let every = self.config.training.checkpoint.every_epochs;
        let is_due = every.map_or(reports, |every| epoch.is_multiple_of(every));
        if is_best || is_due || self.is_finished() {
            self.commit_due()?;
        }
        Ok(())
    }

    /// Validates, and tells files and screen how the epoch went.
    fn report(&mut self, events: &mut Events) -> Result<Option<Scores>, RunError> {
        let (epoch, step) = (self.state.epoch, self.state.step);
        let validation = self.validate(events)?;
        let loss = validation.map_or(0.0, |scores| scores.loss());
        self.require_finite("validation loss is", loss, || self.bad_parameter())?;
        let rate = self.learning_rate(step.saturating_sub(1));
        let row = Row::new((epoch, step), rate, &self.state.scores, validation.as_ref());
        self.metrics.append(&row)?;
        self.tensorboard.append(&row)?;
        tracing::debug!(?row, "epoch done");
        events.end_epoch(epoch);
        Ok(validation)
    }

    #[tracing::instrument(level = "debug", skip_all, fields(epoch = self.state.epoch))]
    fn validate(&self, events: &mut Events) -> Result<Option<Scores>, RunError> {
        let Some(examples) = &self.data.validation else { return Ok(None) };
        let average = self.average.clone();
        let classifier = average.unwrap_or_else(|| self.classifier.valid());
        let device = self.device.clone().inner();
        events.start(Pass::Validation, self.state.epoch, examples.len());
        let mut total = Scores::default();
        let order: Vec<usize> = (0..examples.len()).collect();
        for (index, items) in order.chunks(EVALUATION_BATCH).enumerate() {
            let batch = classifier.batch(examples, items, &device)?;
            let scores = InferenceStep::step(&classifier, batch);
            total += scores;
            let (seen, batches) = (total.count as usize, index + 1);
            let at = Position { examples: seen, total: examples.len(), batches };
            events.batch(Pass::Validation, scores, at, None);
        }
        events.end(Pass::Validation, self.state.epoch);
        Ok(Some(total))
    }

    fn note_best(&mut self, epoch: usize, scores: &Scores) -> bool {
        let is_best = self.state.is_best(scores);
        if is_best {
            self.state.best = Some(Best {
                epoch,
                checkpoint: self.state.checkpoint_name(),
                accuracy: scores.accuracy(),
                loss: scores.loss(),
            });
        }
        let best = self.state.best.as_ref().map_or(epoch, |best| best.epoch);
        self.state.epochs_since_best = epoch - best;
        is_best
    }

    #[tracing::instrument(level = "debug", skip_all, fields(step = self.state.step))]
    fn commit(&mut self) -> Result<(), RunError> {
        let magnitude = self.classifier.magnitude();
        self.require_finite("weights add up to", magnitude, || self.bad_parameter())?;
        self.state.metrics = self.metrics.sync()?;
        let checkpoint = self.checkpoint()?;
        let name = self.checkpoints.commit(&checkpoint)?;
        tracing::debug!(name, "checkpoint committed");
        self.checkpoints.prune(self.config.training.checkpoint.keep_last)
    }

    fn checkpoint(&self) -> Result<Checkpoint, RunError> {
        let average = self.average.as_ref();
        Checkpoint::take(&self.classifier, average, &self.optimizer, &self.state)
    }

    fn learning_rate(&self, step: usize) -> f64 {
        let training = &self.config.training;
        let steps_per_epoch = training.steps(self.data.train.len());
        let factor = self.config.schedule.factor(step, steps_per_epoch, training.epochs);
        self.config.optimizer.learning_rate() * factor * self.caution()
    }

    fn position(&self) -> Position {
        Position {
            examples: self.state.scores.count as usize,
            total: self.data.train.len(),
            batches: self.state.epoch_step,
        }
    }
}

/// How many examples are evaluated at once: few, so that what they need fits in the memory that
/// training has used.
pub const EVALUATION_BATCH: usize = 32;
