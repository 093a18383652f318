//! The training loop: steps, validation, best model, early stopping, checkpoints.

mod batch_source;
mod checkpoint;
mod non_finite;
mod observer;
mod optimization;
mod pacer;
mod pacing;
#[cfg_attr(not(feature = "distributed"), allow(dead_code, reason = "only workers use all of it"))]
mod packing;
#[cfg_attr(not(feature = "distributed"), allow(dead_code, reason = "only workers use all of it"))]
mod part;
mod readback;
mod rollback;
mod run_writer;
mod selection;
mod state;
mod step;
mod step_series;
mod stop;
#[cfg_attr(not(feature = "distributed"), allow(dead_code, reason = "only workers use all of it"))]
mod workers;

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use artifacts::{ClassScore, EpochMetrics};
use burn::tensor::Tensor;
use data::SplitKind;

use crate::batch::{Loader, LoaderConfig};
use crate::config::{OnNan, ScheduleConfig, TrainingConfig};
use crate::error::RunError;
use crate::fault_injection::Faults;
use crate::model::Tally;
use readback::PendingStep;

pub use batch_source::BatchSource;
use checkpoint::Snapshot;
pub use checkpoint::{Checkpoint, Checkpoints, load_record};
pub use non_finite::NonFinite;
pub use observer::{PassProgress, TrainingObserver};
pub use optimization::Optimization;
pub use pacer::{Budget, Pacer};
#[cfg(feature = "distributed")]
pub use packing::{PackedPart, RunningStatistics, decays};
#[cfg(feature = "distributed")]
pub use part::PartComputer;
pub use readback::READBACK_INTERVAL;
pub use run_writer::RunWriter;
pub use state::{EpochWatch, TimePlan, TrainingState};
pub use stop::{Stop, StopSource};
#[cfg(feature = "distributed")]
pub use workers::{PartIndex, StepRequest, WorkerResult};
pub use workers::{WorkerCount, Workers};

/// Trains a model: everything that changes during a run.
pub struct Trainer {
    pub config: TrainingConfig,
    pub schedule: ScheduleConfig,
    pub source: BatchSource,
    pub optimization: Optimization,
    pub writer: RunWriter,
    pub state: TrainingState,
    pub pacer: Option<Pacer>,
    /// What computes the batches, unless the trainer itself does.
    pub workers: Option<Box<dyn Workers>>,
    /// The weights of the last step that workers have computed.
    pub packed_weights: Arc<Vec<f32>>,
    /// Steps that have not been read back from the device.
    pub pending: Vec<PendingStep>,
    /// Number of steps that are read back together; 1 on a processor.
    pub readback_interval: usize,
    /// Called after every step.
    pub stop: StopSource,
    /// Called before every epoch.
    pub watch: EpochWatch,
    pub faults: Faults,
}

impl Trainer {
    /// Trains until the last epoch, early stopping or a request to stop, after which there is a
    /// checkpoint.
    pub fn run(&mut self, observer: &mut dyn TrainingObserver) -> Result<Option<Stop>, RunError> {
        self.commit_rollback_target()?;
        while !self.is_finished() {
            let last_epoch = self.last_epoch();
            (self.watch)(&self.state, last_epoch);
            let trained = self.train_epoch(observer);
            // The error of an earlier step that is still on the device takes precedence.
            let ended = self.read_back(observer).and(trained).and_then(|stop| {
                if stop.is_none() {
                    self.finish_epoch(observer)?;
                }
                Ok(stop)
            });
            match ended {
                Ok(None) => {}
                Ok(Some(stop)) => {
                    self.commit()?;
                    self.writer.checkpoints.wait()?;
                    return Ok(Some(stop));
                }
                Err(error) => self.roll_back(error)?,
            }
        }
        self.writer.checkpoints.wait()?;
        Ok(None)
    }

    fn is_finished(&self) -> bool {
        self.state.is_finished(&self.config, self.source.data.train.len())
    }

    /// Returns true if the current epoch is reported.
    fn reports(&self) -> bool {
        let count = self.source.data.train.len();
        let end = self.epoch_start().saturating_add(self.config.steps(count));
        self.state.epoch.is_multiple_of(self.config.report_every_epochs)
            || end >= self.total_steps()
    }

    /// Steps before the current epoch.
    fn epoch_start(&self) -> usize {
        self.state.step - self.state.epoch_step
    }

    /// Number of steps of the run, as planned now.
    fn total_steps(&self) -> usize {
        let count = self.source.data.train.len();
        self.state.total_steps(&self.config, self.state.step, count)
    }

    /// Number of the last epoch, as planned now.
    pub fn last_epoch(&self) -> usize {
        let epoch_steps = self.config.steps(self.source.data.train.len());
        let rest = self.total_steps().saturating_sub(self.epoch_start()).div_ceil(epoch_steps);
        (self.state.epoch - 1).saturating_add(rest)
    }

    /// The remaining steps of the epoch.
    fn train_epoch(
        &mut self,
        observer: &mut dyn TrainingObserver,
    ) -> Result<Option<Stop>, RunError> {
        let epoch = self.state.epoch;
        let _span = self.reports().then(|| tracing::debug_span!("train_epoch", epoch).entered());
        let order = self.order();
        self.start_stages()?;
        self.start_epoch(observer, order.len());
        let steps = order.chunks(self.config.step_examples(order.len()));
        let steps: Vec<_> = steps.skip(self.state.epoch_step).collect();
        let mut loader = self.start_loader(&steps)?;
        for items in steps {
            if self.state.step >= self.total_steps() {
                break;
            }
            match self.step(items, loader.as_mut(), observer) {
                Err(RunError::TooFewWorkers) => return Ok(Some(Stop::TooFewWorkers)),
                done => done?,
            }
            self.writer.checkpoints.check()?;
            self.keep_pace();
            if let Some(stop) = self.stop_requested(observer)? {
                return Ok(Some(stop));
            }
            let every = self.config.checkpoint.every_steps;
            if every.is_some_and(|every| self.state.step.is_multiple_of(every)) {
                self.read_back(observer)?;
                self.commit_scheduled()?;
            }
        }
        Ok(None)
    }

    /// The order in which the epoch visits the training set.
    fn order(&self) -> Vec<usize> {
        self.config.order(self.source.data.train.len(), self.state.seed, self.state.epoch)
    }

    /// Starts to collate the batches of `steps`, unless workers do.
    fn start_loader(&self, steps: &[&[usize]]) -> Result<Option<Loader>, RunError> {
        if self.workers.is_some() {
            return Ok(None);
        }
        let requests = self.source.requests(&self.config, &self.state, steps, &self.faults);
        let workers = self.source.loader_workers(&self.config);
        let loader = LoaderConfig { workers, ..self.config.loader.clone() };
        let classifier = &self.optimization.classifier;
        self.source.start_loader(&loader, &self.state, requests, classifier)
    }

    fn start_stages(&mut self) -> Result<(), RunError> {
        self.optimization.start_epoch(self.state.epoch);
        self.source.keep_features(self.optimization.with_constant_features())
    }

    fn start_epoch(&mut self, observer: &mut dyn TrainingObserver, total: usize) {
        if !self.reports() {
            return;
        }
        self.writer.start_epoch(self.state.scores.count);
        observer.start_pass(SplitKind::Train, self.state.epoch, total);
        if self.state.epoch_step > 0 {
            // The steps of this epoch that an earlier process has done.
            observer.batch(SplitKind::Train, self.state.scores, self.progress(), None);
        }
    }

    fn stop_requested(
        &mut self,
        observer: &dyn TrainingObserver,
    ) -> Result<Option<Stop>, RunError> {
        let stop = (self.stop)().or(observer.stop_requested().then_some(Stop::Interrupted));
        match observer.failure() {
            Some(failure) if stop.is_none() => Err(RunError::Observer(failure)),
            _ => Ok(stop),
        }
    }

    fn finish_epoch(&mut self, observer: &mut dyn TrainingObserver) -> Result<(), RunError> {
        let (epoch, reports, started) = (self.state.epoch, self.reports(), Instant::now());
        let validation = if reports { self.report(observer)? } else { None };
        self.state.next_epoch();
        let is_last = self.state.step >= self.total_steps();
        let is_best = validation
            .is_some_and(|scores| self.state.update_best(epoch, &scores, &self.config, is_last));
        let every = self.config.checkpoint.every_epochs;
        let is_scheduled = every.map_or(reports, |every| epoch.is_multiple_of(every));
        if self.is_finished() || (is_best || is_scheduled) && !self.saves_later() {
            self.commit_scheduled()?;
        } else if is_best {
            let best = self.snapshot()?;
            self.writer.checkpoints.keep_best(best);
        }
        if let Some(pacer) = self.pacer.as_mut().filter(|_| reports) {
            pacer.reported(started);
        }
        if reports { self.writer.record_times() } else { Ok(()) }
    }

    /// Validates and reports the epoch; returns its validation scores.
    fn report(&mut self, observer: &mut dyn TrainingObserver) -> Result<Option<Tally>, RunError> {
        let (epoch, step, train) = (self.state.epoch, self.state.step, self.state.scores);
        observer.end_pass(SplitKind::Train, epoch);
        self.writer.stopwatch.end_training(epoch, train.count);
        self.writer.stopwatch.start_part();
        let validation = self.validate(observer)?;
        self.writer.stopwatch.end_part(|phases| &mut phases.evaluation);
        let sums = validation.as_ref().map(|scores| scores.sums);
        let loss = sums.map_or(0.0, |scores| scores.loss());
        self.require_finite("validation loss is", loss)?;
        let classes = validation.as_ref().map(Tally::classes);
        let series = mem::take(&mut self.state.series);
        let metrics = EpochMetrics {
            epoch,
            step,
            learning_rate: self.learning_rate(step.saturating_sub(1)),
            train_loss: train.loss(),
            train_accuracy: train.accuracy(),
            gradient_norm: series.gradient_norm(),
            validation_loss: sums.map(|scores| scores.loss()),
            validation_accuracy: sums.map(|scores| scores.accuracy()),
            validation_macro_f1: classes.as_deref().map(ClassScore::macro_f1),
            validation_balanced_accuracy: classes.as_deref().map(ClassScore::balanced_accuracy),
            validation_top_5: validation.as_ref().and_then(Tally::top_5),
            step_losses: series.losses(),
        };
        self.writer.append(&metrics)?;
        tracing::debug!(?metrics, "epoch done");
        observer.end_epoch(epoch);
        Ok(validation)
    }

    #[tracing::instrument(level = "debug", skip_all, fields(epoch = self.state.epoch))]
    fn validate(&self, observer: &mut dyn TrainingObserver) -> Result<Option<Tally>, RunError> {
        let data = &self.source.data;
        let Some(examples) = &data.validation else { return Ok(None) };
        let classifier = self.optimization.evaluated_model();
        let device = self.source.device.clone().inner();
        observer.start_pass(SplitKind::Validation, self.state.epoch, examples.len());
        let mut total = Tally::new(data.classes.len());
        let mut batches = 0;
        let visit = |items: &[usize], logits: Tensor<2>| {
            let logits: Vec<f32> = logits.into_data().iter().collect();
            let head = classifier.objective().head;
            let scores = total.count(head, &logits, &examples.labels_at(items));
            batches += 1;
            let examples_seen = total.sums.count as usize;
            let progress = PassProgress { examples: examples_seen, total: examples.len(), batches };
            observer.batch(SplitKind::Validation, scores, progress, None);
        };
        match self.source.validation_features() {
            Some(features) => classifier.evaluate_features(features, visit),
            None => classifier.evaluate(examples, &device, visit)?,
        }
        observer.end_pass(SplitKind::Validation, self.state.epoch);
        Ok(Some(total))
    }

    /// Returns true if the last checkpoint is recent enough. Never in a run that may roll back, whose
    /// result depends on which checkpoints there are.
    fn saves_later(&self) -> bool {
        let interval = self.config.checkpoint.shortest_interval();
        self.config.on_nan == OnNan::Stop && self.writer.checkpoints.age() < interval
    }

    #[tracing::instrument(level = "debug", skip_all, fields(step = self.state.step))]
    fn commit(&mut self) -> Result<(), RunError> {
        let snapshot = self.snapshot()?;
        self.writer.commit(snapshot)
    }

    /// The state of the run, if its weights are finite.
    fn snapshot(&mut self) -> Result<Snapshot, RunError> {
        self.writer.stopwatch.start_part();
        self.require_finite("sum of the weights is", self.optimization.classifier.magnitude())?;
        self.state.metrics = self.writer.metrics();
        let snapshot = self.optimization.snapshot(&self.state)?;
        self.writer.stopwatch.end_part(|phases| &mut phases.checkpoint);
        Ok(snapshot)
    }

    /// The learning rate of the step with this index, from 0.
    fn learning_rate(&self, step: usize) -> f64 {
        let count = self.source.data.train.len();
        let total_steps = self.state.total_steps(&self.config, step, count);
        let factor = self.schedule.factor(step, self.config.steps(count), total_steps);
        self.optimization.learning_rate() * factor * self.rollback_lr_factor()
    }

    fn progress(&self) -> PassProgress {
        PassProgress {
            examples: self.state.scores.count as usize,
            total: self.source.data.train.len(),
            batches: self.state.epoch_step,
        }
    }

    /// Fails, with the name of the first tensor that is not finite, unless `value` is finite.
    fn require_finite(&self, quantity: &'static str, value: f64) -> Result<(), RunError> {
        NonFinite::check(quantity, value, || self.optimization.non_finite_tensor())
            .map_err(|error| self.non_finite(error))
    }
}
