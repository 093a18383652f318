use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use dataset::{Augmenter, Examples, Split, sha256};
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::classifier::Classifier;
use crate::error::RunError;
use crate::evaluation::{Evaluation, SplitName};
use crate::faults::Faults;
use crate::fit::fit;
use crate::leaks::WithoutTwins;
use crate::metrics::MetricsFiles;
use crate::optimizer::GradientSum;
use crate::resume;
use crate::run_dir::{RunDir, RunLock, write_file, write_json};
use crate::session::{Session, Stop, StopSource};
use crate::silent::Silent;
use crate::state::{Best, State};
use crate::tensorboard::EventFile;
use crate::timings::Stopwatch;

/// A run with its directory, locked and ready to go on.
pub struct Run {
    pub(super) plan: Plan,
    pub(super) directory: RunDir,
    pub(super) _lock: RunLock,
    pub(super) checkpoints: Checkpoints,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) faults: Faults,
    pub(super) read_together: usize,
}

/// What shows a run and what can stop it.
pub struct Ui {
    /// Shows the metrics.
    pub renderer: Box<dyn MetricsRenderer>,
    /// Through which the renderer asks for a stop.
    pub interrupter: Interrupter,
    /// Asked after every step whether to stop.
    pub stop: StopSource,
}

impl Ui {
    /// Shows nothing.
    pub fn silent(stop: StopSource) -> Self {
        Self { renderer: Box::new(Silent), interrupter: Interrupter::new(), stop }
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// After its last epoch, or by early stopping.
    Finished(Box<Summary>),
    /// On request, with a checkpoint to resume from.
    Stopped(Stop),
}

/// The outcome of a finished run: `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The name of the experiment.
    pub name: String,
    /// Whether the data are the drawn stand-in rather than real.
    pub stand_in: bool,
    /// The epochs trained.
    pub epochs: usize,
    /// The steps taken.
    pub steps: usize,
    /// The number of trained and fitted parameters.
    pub parameters: usize,
    /// The best epoch, where there was a validation set. The scores are those of its model, or
    /// else of the last one.
    pub best: Option<Best>,
    /// The share of the training set classified rightly.
    pub train_accuracy: f64,
    /// The share of the test set classified rightly.
    pub test_accuracy: f64,
    /// The mean loss on the test set.
    pub test_loss: f64,
    /// SHA-256 of `best_model.bpk`.
    pub model_sha256: String,
    /// How long this process trained and evaluated, in seconds.
    pub seconds: f64,
}

/// The most images of training and test set together among which a run looks for twins when it
/// ends: that takes about a second. `evaluate` looks for them among more.
const MOST_COMPARED: usize = 20_000;

/// What the log of a run says when training begins.
pub(crate) const BEGINS: &str = "training begins after step ";
/// What it says before the reason why it failed.
pub(crate) const FAILED: &str = "the run failed: ";

impl Summary {
    /// The outcome of the run in `directory`, if it is finished.
    pub fn read(directory: &RunDir) -> Result<Option<Self>, RunError> {
        let path = directory.summary();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| RunError::Malformed { path, reason: error.to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RunError::read(&path, error)),
        }
    }
}

impl Run {
    /// Where the run leaves everything.
    pub fn directory(&self) -> &RunDir {
        &self.directory
    }

    /// The name of the experiment.
    pub fn name(&self) -> &str {
        &self.plan.config.name
    }

    /// The name of the device.
    pub fn device(&self) -> &str {
        self.plan.device()
    }

    /// What it is trained and tested on.
    pub fn data(&self) -> Arc<Split> {
        Arc::clone(&self.plan.data)
    }

    /// The epochs and steps that are already done.
    pub fn done(&self) -> (usize, usize) {
        let state = self.checkpoint.as_ref().map(|checkpoint| &checkpoint.state);
        state.map_or((0, 0), |state| (state.epoch - 1, state.step))
    }

    /// The number of trained and fitted parameters.
    pub fn parameters(&self) -> usize {
        let (shape, classes) = (self.plan.data.train.shape, self.plan.data.classes.len());
        self.plan.config.parameters(shape, classes).unwrap_or(usize::MAX)
    }

    /// Makes things go wrong on purpose, to see that the run survives them.
    pub fn plant(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Reads so many steps at once, as if the device were a graphics card.
    #[cfg(test)]
    pub fn read_together(&mut self, steps: usize) {
        self.read_together = steps;
    }

    /// Trains to the end, or until `ui` stops it, and evaluates the best model.
    pub fn fit(&mut self, ui: Ui) -> Result<Outcome, RunError> {
        tracing::debug!("{BEGINS}{}", self.done().1);
        self.try_fit(ui).inspect_err(|error| tracing::debug!("{FAILED}{error}"))
    }

    fn try_fit(&mut self, ui: Ui) -> Result<Outcome, RunError> {
        let started = Instant::now();
        let session = self.session(ui.stop)?;
        let (state, stop) = fit(session, &self.directory, ui.renderer, ui.interrupter)?;
        match stop {
            Some(stop) => Ok(Outcome::Stopped(stop)),
            None => Ok(Outcome::Finished(Box::new(self.finish(&state, started)?))),
        }
    }

    fn session(&mut self, stop: StopSource) -> Result<Session, RunError> {
        let plan = &self.plan;
        let mut classifier = plan.initial()?;
        let mut average = plan.config.training.ema.map(|_| classifier.valid());
        let gradient_sum = GradientSum::default();
        let mut optimizer = plan.config.optimizer.init_summing(&gradient_sum);
        let mut state = State::new(plan.environment.run.clone(), plan.config.seed);
        if let Some(checkpoint) = self.checkpoint.take() {
            average = average.map(|average| checkpoint.load_model(average)).transpose()?;
            classifier = checkpoint.load_weights(classifier)?;
            optimizer = checkpoint.load_optimizer(optimizer)?;
            state = checkpoint.state;
        }
        let augmentation = &plan.config.augmentation;
        let augmenter = Augmenter::new(augmentation, &plan.data.train, state.seed)?.map(Arc::new);
        let metrics = MetricsFiles::open(&self.directory, &state.metrics)?;
        // Only now, when nothing more can be refused, may the run change.
        resume::write_config(&plan.config, &self.directory)?;
        self.directory.remove_outcome()?;
        let tensorboard = EventFile::create(&self.directory, state.step)?;
        Ok(Session {
            config: plan.config.clone(),
            data: Arc::clone(&plan.data),
            device: plan.autodiff(),
            classifier,
            average,
            optimizer,
            gradient_sum,
            read_together: self.read_together,
            unread: Vec::new(),
            directory: self.directory.clone(),
            metrics,
            tensorboard,
            checkpoints: self.checkpoints.clone(),
            state,
            stop,
            whole: None,
            augmenter,
            stopwatch: Stopwatch::start(0),
            faults: self.faults.clone(),
        })
    }

    /// Evaluates the model of the best epoch and writes what people look for first.
    fn finish(&self, state: &State, started: Instant) -> Result<Summary, RunError> {
        let name = match &state.best {
            Some(best) => best.checkpoint.clone(),
            None => state.checkpoint_name(),
        };
        let checkpoint = self.checkpoints.load(&name)?;
        let classifier = checkpoint.load_model(self.plan.initial()?)?.valid();
        write_file(&self.directory.best_model(), checkpoint.model_bytes())?;
        let train = self.evaluate(&classifier, SplitName::Train, &self.plan.data.train)?;
        let mut test = self.evaluate(&classifier, SplitName::Test, &self.plan.data.test)?;
        let seconds = started.elapsed().as_secs_f64();
        test.without_twins = self.without_twins(&classifier, &test)?;
        for evaluation in [&train, &test] {
            write_json(&self.directory.evaluation(evaluation.split.as_str()), evaluation)?;
        }
        let summary = Summary {
            name: self.plan.config.name.clone(),
            stand_in: self.plan.data().stand_in,
            epochs: state.epoch - 1,
            steps: state.step,
            parameters: classifier.num_params(),
            best: state.best.clone(),
            train_accuracy: train.accuracy,
            test_accuracy: test.accuracy,
            test_loss: test.loss,
            model_sha256: sha256(checkpoint.model_bytes()),
            seconds,
        };
        write_json(&self.directory.summary(), &summary)?;
        Ok(summary)
    }

    #[tracing::instrument(level = "debug", skip_all)]
    fn evaluate(
        &self,
        classifier: &Classifier,
        split: SplitName,
        examples: &Examples,
    ) -> Result<Evaluation, RunError> {
        let device = &self.plan.device.device;
        Ok(Evaluation::of(classifier, split, examples, self.plan.data(), device)?)
    }

    /// The score without test images that have a twin in the training set, where they are found at
    /// once.
    #[tracing::instrument(level = "debug", skip_all)]
    fn without_twins(
        &self,
        classifier: &Classifier,
        test: &Evaluation,
    ) -> Result<Option<WithoutTwins>, RunError> {
        let sets = [&self.plan.data.train, &self.plan.data.test];
        if sets.map(Examples::len).iter().sum::<usize>() > MOST_COMPARED {
            return Ok(None);
        }
        let device = &self.plan.device.device;
        WithoutTwins::of(test, sets, classifier, self.plan.data(), device)
    }
}
