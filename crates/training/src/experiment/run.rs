use std::fs;
use std::sync::Arc;
use std::time::Instant;

use artifacts::{
    Calibration, DeduplicatedScore, EpochTiming, Evaluation, InitialWeights, MetricsFiles, RunDir,
    RunLock, StatusFile, StatusKind, Summary, write_file, write_json,
};
use burn::module::Module;
use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use data::{Examples, Split, SplitKind};
use support::sha256;

use super::{Experiment, resume};
use crate::burn_adapter::{Display, NoopRenderer, fit};
use crate::config::RunConfig;
use crate::error::RunError;
use crate::fault_injection::Faults;
use crate::inference::{MOST_OCCLUDED, calibrate, deduplicate, evaluate};
use crate::model::Classifier;
use crate::trainer::{
    Budget, Checkpoint, Checkpoints, EpochWatch, Optimization, RunWriter, Stop, StopSource,
    Trainer, TrainingState, WorkerCount, Workers,
};

/// A run with its directory, locked and ready to train.
pub struct Run {
    pub(super) experiment: Experiment,
    pub(super) directory: RunDir,
    pub(super) _lock: RunLock,
    pub(super) checkpoints: Checkpoints,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) workers: Option<Box<dyn Workers>>,
    pub(super) faults: Faults,
    pub(super) readback_interval: usize,
}

/// Shows a run and can stop it.
pub struct Ui {
    /// Shows the metrics.
    pub renderer: Box<dyn MetricsRenderer>,
    /// Carries the renderer's request to stop.
    pub interrupter: Interrupter,
    /// Asked after every step whether to stop.
    pub stop: StopSource,
    /// Called before every epoch.
    pub watch: EpochWatch,
}

impl Ui {
    /// A user interface that shows nothing.
    pub fn silent(stop: StopSource) -> Self {
        let (renderer, watch) = (Box::new(NoopRenderer), Box::new(|_: &_, _| {}));
        Self { renderer, interrupter: Interrupter::new(), stop, watch }
    }
}

/// Time of all processes of a run.
#[derive(Debug, Clone, Copy)]
struct Clock {
    started: Instant,
    /// Seconds of earlier processes.
    earlier: f64,
}

impl Clock {
    /// Starts after the earlier processes of `run`. One that was killed counts with its complete
    /// epochs.
    fn start(run: &RunDir) -> Self {
        let recorded = StatusFile::read(run).ok().flatten().map_or(0.0, |status| status.seconds);
        let epochs: f64 = EpochTiming::read_all(run).iter().map(|timing| timing.seconds).sum();
        Self { started: Instant::now(), earlier: recorded.max(epochs) }
    }

    fn seconds(self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64()
    }
}

/// The way a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// After its last epoch, or by early stopping.
    Finished(Box<Summary>),
    /// On request, with a checkpoint to resume from.
    Stopped(Stop),
}

/// Largest number of images, those to train on and those to score, for which a run searches for near-duplicates at its
/// end, which takes about a second. `evaluate` has no such limit.
const MAX_DEDUPLICATED: usize = 20_000;

impl Run {
    /// The experiment.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// The run directory.
    pub fn directory(&self) -> &RunDir {
        &self.directory
    }

    /// The resolved config.
    pub fn config(&self) -> &RunConfig {
        &self.experiment.config
    }

    /// Name of the experiment.
    pub fn name(&self) -> &str {
        &self.experiment.config.name
    }

    /// The number of workers, if some train it.
    pub fn worker_count(&self) -> Option<WorkerCount> {
        self.workers.as_ref().map(|workers| workers.count())
    }

    /// Name of the device.
    pub fn device(&self) -> &str {
        self.experiment.device()
    }

    /// The data.
    pub fn data(&self) -> Arc<Split> {
        Arc::clone(&self.experiment.data)
    }

    /// The weights that the run started from, if not random ones.
    pub fn initial_weights(&self) -> Option<&InitialWeights> {
        self.experiment.environment.init_from.as_ref()
    }

    /// Epochs and steps that are already done.
    pub fn done(&self) -> (usize, usize) {
        let state = self.checkpoint.as_ref().map(|checkpoint| &checkpoint.state);
        state.map_or((0, 0), |state| (state.epoch - 1, state.step))
    }

    /// The result of a resumed run that has nothing left to train; its files are verified.
    pub fn finished(&self) -> Result<Option<Summary>, RunError> {
        let status = StatusFile::read(&self.directory)?.map(|file| file.status);
        let state = match &self.checkpoint {
            Some(checkpoint) if status == Some(StatusKind::Finished) => &checkpoint.state,
            _ => return Ok(None),
        };
        let training = &self.experiment.config.training;
        let minutes = training.max_minutes.filter(|_| training.plan.is_empty());
        let has_other_plan = minutes.is_some()
            && state.plan.as_ref().map(|plan| plan.seconds) != minutes.map(|it| 60.0 * it);
        if has_other_plan || !state.is_finished(training, self.experiment.data.train.len()) {
            return Ok(None);
        }
        MetricsFiles::open(&self.directory, &state.metrics)?;
        let model = fs::read(self.directory.best_model()).map(|bytes| sha256(&bytes));
        let summary = Summary::read(&self.directory)?;
        Ok(summary.filter(|summary| model.is_ok_and(|model| model == summary.model_sha256)))
    }

    /// Number of trained and fitted parameters.
    pub fn parameters(&self) -> usize {
        let data = &self.experiment.data;
        let parameters = self.experiment.config.parameters(data.train.shape, data.classes.len());
        parameters.unwrap_or(usize::MAX)
    }

    /// Lets `workers` compute the steps.
    #[cfg(feature = "distributed")]
    pub fn set_workers(&mut self, workers: crate::distributed::WorkerPool) {
        self.workers = Some(Box::new(workers));
    }

    /// Injects faults, to test that the run survives them.
    #[cfg(any(test, feature = "fault-injection"))]
    pub fn inject(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Reads steps back in groups of this size, as on a graphics card.
    #[cfg(test)]
    pub fn set_readback_interval(&mut self, steps: usize) {
        self.readback_interval = steps;
    }

    /// Trains to the end or until `ui` stops it, evaluates the best model, and records the status
    /// of the run in `status.json`.
    pub fn train(&mut self, ui: Ui) -> Result<Outcome, RunError> {
        let clock = Clock::start(&self.directory);
        let trainer = match self.trainer(ui.stop, ui.watch, clock) {
            // A run that is refused on resume keeps the status that it has.
            Err(error) if self.directory.status().exists() => return Err(error),
            trainer => trainer,
        };
        let config = &self.experiment.config;
        let display = Display {
            name: &config.name,
            device: self.experiment.device(),
            renderer: ui.renderer,
            interrupter: ui.interrupter,
        };
        let ended = trainer.and_then(|mut trainer| {
            if let Some(budget) = self.budget(&trainer.state, clock) {
                trainer.start_pacing(budget)?;
            }
            fit(trainer, &config.optimizer, display)
        });
        let outcome = ended.and_then(|(state, stop)| match stop {
            Some(stop) => Ok(Outcome::Stopped(stop)),
            None => {
                self.write_plan(&state)?;
                Ok(Outcome::Finished(Box::new(self.finish(&state, clock)?)))
            }
        });
        self.record_status(&outcome, clock);
        outcome
    }

    fn trainer(
        &mut self,
        stop: StopSource,
        watch: EpochWatch,
        clock: Clock,
    ) -> Result<Trainer, RunError> {
        tracing::debug!("training starts after step {}", self.done().1);
        let Experiment { config, environment, .. } = &self.experiment;
        let classifier = self.experiment.initial_classifier()?;
        let fine_tuning = self.experiment.fine_tuning(&classifier);
        let mut optimization = Optimization::new(
            classifier,
            config.optimizer.clone(),
            config.training.gradient_clipping,
            config.training.ema,
            fine_tuning,
            self.readback_interval > 1,
        );
        let mut state = TrainingState::new(environment.run.clone(), config.seed);
        if let Some(checkpoint) = self.checkpoint.take() {
            optimization.load(&checkpoint)?;
            state = checkpoint.state;
        }
        let source = self.experiment.batch_source()?;
        let (directory, checkpoints) = (self.directory.clone(), self.checkpoints.clone());
        let keep_last = config.training.checkpoint.keep_last;
        let writer = RunWriter::open(directory, checkpoints, &state, keep_last)?;
        // Nothing can be refused any more: from here on the run may change.
        resume::write_config(config, &self.directory)?;
        self.directory.remove_results()?;
        StatusFile::write(&self.directory, StatusKind::Running, None, clock.seconds())?;
        Ok(Trainer {
            source,
            config: config.training.clone(),
            schedule: config.schedule.clone(),
            optimization,
            writer,
            state,
            pacer: None,
            workers: self.workers.take(),
            packed_weights: Arc::default(),
            pending: Vec::new(),
            readback_interval: self.readback_interval,
            stop,
            watch,
            faults: self.faults.clone(),
        })
    }

    /// The time budget of a run that continues from `state`, unless it repeats the plan of another.
    fn budget(&self, state: &TrainingState, clock: Clock) -> Option<Budget> {
        let Experiment { config, data, started, .. } = &self.experiment;
        let training = &config.training;
        let is_repeated = state.plan.is_none() && !training.plan.is_empty();
        let minutes = training.max_minutes.filter(|_| !is_repeated)?;
        let epoch_steps = training.steps(data.train.len());
        let validation = data.validation.as_ref().map_or(0, Examples::len);
        let growth = 1.0 + validation as f64 / data.train.len() as f64;
        // The reported part also for the report.
        let occluded = if data.train.are_images() { MOST_OCCLUDED } else { 0 };
        let evaluated = data.train.len() + validation + 2 * data.reported().1.len() + occluded;
        let fits = 1 + usize::from(training.final_fit);
        Some(Budget {
            seconds: 60.0 * minutes,
            started: *started,
            earlier: clock.earlier,
            most_steps: training.most_epochs().saturating_mul(epoch_steps),
            epoch_steps,
            report_epochs: training.report_every_epochs,
            validation,
            evaluated: fits * evaluated,
            final_steps: if training.final_fit { growth } else { 0.0 },
        })
    }

    /// Writes the plan of a run with a time budget into its config, which then repeats the run.
    fn write_plan(&self, state: &TrainingState) -> Result<(), RunError> {
        let Some(plan) = &state.plan else { return Ok(()) };
        let mut config = self.experiment.config.clone();
        config.training.plan.clone_from(&plan.steps);
        resume::write_config(&config, &self.directory)
    }

    fn record_status(&self, outcome: &Result<Outcome, RunError>, clock: Clock) {
        let (status, reason) = match outcome {
            Ok(Outcome::Finished(_)) => (StatusKind::Finished, None),
            Ok(Outcome::Stopped(stop)) => (StatusKind::Stopped, Some(stop.to_string())),
            Err(error) => (StatusKind::Failed, Some(error.to_string())),
        };
        if let Err(error) = outcome {
            tracing::debug!("the run failed: {error}");
        }
        // The outcome itself matters more than a status that cannot be written.
        if let Err(error) = StatusFile::write(&self.directory, status, reason, clock.seconds()) {
            tracing::warn!("{error}");
        }
    }

    /// Evaluates the model of the best epoch and writes the results.
    fn finish(&self, state: &TrainingState, clock: Clock) -> Result<Summary, RunError> {
        let name = match &state.best {
            Some(best) => best.checkpoint.clone(),
            None => state.checkpoint_name(),
        };
        let checkpoint = self.checkpoints.load(&name)?;
        let classifier = checkpoint.load_model(self.experiment.initial_classifier()?)?.valid();
        let (classifier, calibration, model) =
            self.calibrate(classifier, checkpoint.into_model_bytes())?;
        write_file(&self.directory.best_model(), &model)?;
        let data = &self.experiment.data;
        let train = self.evaluate(&classifier, SplitKind::Train, &data.train)?;
        write_json(&self.directory.evaluation(SplitKind::Train), &train)?;
        let (reported, examples) = data.reported();
        let held_out = (reported != SplitKind::Train)
            .then(|| self.evaluate(&classifier, reported, examples))
            .transpose()?;
        let seconds = clock.seconds();
        if let Some(mut evaluation) = held_out.clone() {
            if reported == SplitKind::Validation {
                evaluation.calibration = calibration;
            }
            evaluation.deduplicated = self.deduplicate(&classifier, &evaluation, examples)?;
            write_json(&self.directory.evaluation(reported), &evaluation)?;
        }
        let test = held_out.filter(|evaluation| evaluation.split == SplitKind::Test);
        let summary = Summary {
            name: self.experiment.config.name.clone(),
            synthetic: self.experiment.data_identity().synthetic,
            epochs: state.epoch - 1,
            steps: state.step,
            parameters: classifier.num_params(),
            best: state.best.clone(),
            train_accuracy: train.accuracy,
            test_accuracy: test.as_ref().map(|test| test.accuracy),
            test_loss: test.as_ref().map(|test| test.loss),
            calibration,
            model_sha256: sha256(&model),
            seconds,
        };
        write_json(&self.directory.summary(), &summary)?;
        Ok(summary)
    }

    /// Fits the temperature of `classifier`, whose weights are `model` in Burn's format, if there is
    /// a validation set; otherwise a final fit has that of the first fit. The model of the result is
    /// complete: it predicts alone.
    #[tracing::instrument(level = "debug", skip_all)]
    fn calibrate(
        &self,
        classifier: Classifier,
        model: Vec<u8>,
    ) -> Result<(Classifier, Option<Calibration>, Vec<u8>), RunError> {
        let validation = self.experiment.data.validation.as_ref();
        let device = &self.experiment.device.device;
        let calibration =
            validation.map(|examples| calibrate(&classifier, examples, device)).transpose()?;
        let fitted = calibration.and_then(|calibration| calibration.temperature);
        let temperature = fitted.or(self.experiment.temperature);
        let Experiment { config, environment, .. } = &self.experiment;
        let description = config.description(&environment.data);
        let model = description.added_to(&model, temperature).map_err(RunError::Record)?;
        let classifier = classifier.with_temperature(temperature);
        Ok((classifier, calibration, model))
    }

    #[tracing::instrument(level = "debug", skip_all)]
    fn evaluate(
        &self,
        classifier: &Classifier,
        split: SplitKind,
        examples: &Examples,
    ) -> Result<Evaluation, RunError> {
        let (identity, device) = (self.experiment.data_identity(), &self.experiment.device.device);
        Ok(evaluate(classifier, split, examples, identity, device)?)
    }

    /// The score without near-duplicates, if they are found quickly.
    #[tracing::instrument(level = "debug", skip_all)]
    fn deduplicate(
        &self,
        classifier: &Classifier,
        evaluation: &Evaluation,
        examples: &Examples,
    ) -> Result<Option<DeduplicatedScore>, RunError> {
        let data = &self.experiment.data;
        if data.train.len() + examples.len() > MAX_DEDUPLICATED {
            return Ok(None);
        }
        let (identity, device) = (self.experiment.data_identity(), &self.experiment.device.device);
        deduplicate(evaluation, data, examples, classifier, identity, device)
    }
}
