use std::path::{Path, PathBuf};

use artifacts::{Environment, EpochMetrics, RunDir, RunStatus, Summary};
use data::SplitKind;
use models::ModelRegistry;
use serde::Serialize;

use super::{is_better, name};
use crate::config::RunConfig;
use crate::error::RunError;
use crate::trainer::Checkpoints;

/// State and scores of a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunRecord {
    /// Name of the directory.
    pub run: String,
    /// Path of the directory.
    pub path: PathBuf,
    /// State of the run.
    pub status: RunStatus,
    /// The process that runs it, the error of a failed run, or the reason of a stop.
    pub reason: Option<String>,
    /// Name of the experiment.
    pub name: String,
    /// Start of the run, RFC 3339 in UTC.
    pub started: String,
    /// True if the data are synthetic.
    pub synthetic: bool,
    /// Complete epochs: all of a finished run, the reported ones of a running one, otherwise those
    /// in the newest checkpoint.
    pub epochs_done: usize,
    /// Epochs of the config; `None` if they depend on the speed and the run is not finished.
    pub epochs: Option<usize>,
    /// Number of the best epoch so far.
    pub best_epoch: Option<usize>,
    /// Test accuracy of a finished run with a test set, 0 to 1.
    pub test_accuracy: Option<f64>,
    /// Mean test loss of a finished run with a test set.
    pub test_loss: Option<f64>,
    /// Validation accuracy of the best epoch so far, 0 to 1.
    pub validation_accuracy: Option<f64>,
    /// Mean validation loss of that epoch.
    pub validation_loss: Option<f64>,
    /// Training accuracy of a finished run, 0 to 1.
    pub train_accuracy: Option<f64>,
    /// Number of trained and fitted parameters.
    pub parameters: Option<usize>,
    /// Time the process that finished the run trained and evaluated, in seconds.
    pub seconds: Option<f64>,
    /// The resolved config.
    #[serde(skip)]
    pub config: RunConfig,
    /// The environment.
    #[serde(skip)]
    pub environment: Environment,
}

impl RunRecord {
    /// Reads the run directory at `path`, whose model is built in or in `models`.
    pub fn read(path: &Path, models: &ModelRegistry) -> Result<Self, RunError> {
        let run = RunDir::open(path)?;
        let config = RunConfig::read_with_models(&run.config(), &[], models)?;
        let environment = Environment::read(&run)?;
        let owner = run.owner()?;
        let summary = Summary::read(&run)?;
        let (status, reason) = RunStatus::of(&run, owner, summary.as_ref())?;
        let (epochs_done, best) = match &summary {
            Some(summary) => {
                let best = summary.best.as_ref();
                (summary.epochs, best.map(|best| (best.epoch, best.accuracy, best.loss)))
            }
            None => progress(&run, &environment, status)?,
        };
        let summary = summary.as_ref();
        let (shape, classes) = (environment.data.shape, environment.data.classes.len());
        Ok(Self {
            run: name(path),
            path: path.to_owned(),
            status,
            reason,
            name: config.name.clone(),
            started: environment.started.clone(),
            synthetic: environment.data.synthetic,
            epochs_done,
            epochs: config
                .training
                .planned_epochs(environment.data.counts.get("train").copied().unwrap_or_default()),
            best_epoch: best.map(|(epoch, ..)| epoch),
            test_accuracy: summary.and_then(|summary| summary.test_accuracy),
            test_loss: summary.and_then(|summary| summary.test_loss),
            validation_accuracy: best.map(|(_, accuracy, _)| accuracy),
            validation_loss: best.map(|(.., loss)| loss),
            train_accuracy: summary.map(|summary| summary.train_accuracy),
            parameters: config.parameters(shape, classes),
            seconds: summary.map(|summary| summary.seconds),
            config,
            environment,
        })
    }

    /// Accuracy on one split, and the loss if it is known; `None` if the run has no such score.
    pub fn score(&self, split: SplitKind) -> Option<(f64, Option<f64>)> {
        match split {
            SplitKind::Train => Some((self.train_accuracy?, None)),
            SplitKind::Validation => Some((self.validation_accuracy?, self.validation_loss)),
            SplitKind::Test => Some((self.test_accuracy?, self.test_loss)),
        }
    }

    /// The run directory.
    pub fn directory(&self) -> Result<RunDir, RunError> {
        Ok(RunDir::open(&self.path)?)
    }
}

/// Number, validation accuracy and loss of an epoch.
type Epoch = (usize, f64, f64);

/// The complete epochs of a run that is not finished, and the best of them.
fn progress(
    run: &RunDir,
    environment: &Environment,
    status: RunStatus,
) -> Result<(usize, Option<Epoch>), RunError> {
    let checkpoints = Checkpoints::existing(run.checkpoints(), &environment.run);
    let saved = checkpoints.newest_position()?.map_or(0, |(epochs, _)| epochs);
    let metrics = EpochMetrics::read_all(run)?;
    let reported = metrics.last().map_or(0, |last| last.epoch);
    // Epochs after the last checkpoint are repeated when the run is resumed.
    let done = if status == RunStatus::Running { saved.max(reported) } else { saved };
    let epochs = metrics.iter().filter(|metrics| metrics.epoch <= done);
    let scored = epochs.filter_map(|epoch| {
        Some((epoch.epoch, epoch.validation_accuracy?, epoch.validation_loss?))
    });
    let score = |(_, accuracy, loss): Epoch| (accuracy, Some(loss));
    let best =
        scored.reduce(|best, next| if is_better(score(next), score(best)) { next } else { best });
    Ok((done, best))
}
