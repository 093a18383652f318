use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{diary, name};
use crate::checkpoint::Checkpoints;
use crate::config::RunConfig;
use crate::environment::Environment;
use crate::error::RunError;
use crate::evaluation::SplitName;
use crate::metrics::Row;
use crate::plan::Summary;
use crate::run_dir::RunDir;

/// What a run directory tells of its run.
#[derive(Debug, Clone, Serialize)]
pub struct RunRecord {
    /// The name of the directory.
    pub run: String,
    /// The directory.
    pub path: PathBuf,
    /// How the run stands.
    pub status: RunStatus,
    /// Who runs it, or why it failed.
    pub why: Option<String>,
    /// The name of the experiment.
    pub name: String,
    /// When the run was started, in UTC.
    pub started: String,
    /// Whether the data are the drawn stand-in rather than real.
    pub stand_in: bool,
    /// The epochs that are done: all of a finished run, of others those in its newest checkpoint, or
    /// reported so far while it runs.
    pub epochs_done: usize,
    /// The epochs of its config.
    pub epochs: usize,
    /// The epoch with the best validation score so far.
    pub best_epoch: Option<usize>,
    /// The share of the test set classified rightly, of a finished run.
    pub test_accuracy: Option<f64>,
    /// The mean loss on the test set, of a finished run.
    pub test_loss: Option<f64>,
    /// The share of the validation set classified rightly in the best epoch so far.
    pub validation_accuracy: Option<f64>,
    /// The mean loss on the validation set in that epoch.
    pub validation_loss: Option<f64>,
    /// The share of the training set classified rightly, of a finished run.
    pub train_accuracy: Option<f64>,
    /// The number of trained and fitted parameters.
    pub parameters: Option<usize>,
    /// How long the process that finished it trained and evaluated, in seconds.
    pub seconds: Option<f64>,
    /// Its resolved config.
    #[serde(skip)]
    pub config: RunConfig,
    /// What it depends on beside its config.
    #[serde(skip)]
    pub environment: Environment,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// A process has its lock.
    Running,
    /// It has a summary.
    Finished,
    /// Its log ends with an error. It can be resumed once that is put right.
    Failed,
    /// Neither: it was stopped or killed, and can be resumed.
    Interrupted,
}

/// The best epoch: its number, accuracy and loss on the validation set.
type Epoch = (usize, f64, f64);

impl RunRecord {
    /// Reads what the run directory at `path` tells.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let run = RunDir::open(path)?;
        let config = RunConfig::read(&run.config(), &[])?;
        let environment = Environment::read(&run)?;
        // The lock first: a run that ends in this moment is told as running, not as interrupted.
        let owner = run.owner()?;
        let summary = Summary::read(&run)?;
        let (status, why) = status(&run, owner, summary.as_ref());
        let (epochs_done, best) = match &summary {
            Some(summary) => (summary.epochs, best_of(summary)),
            None => progress(&run, &environment, status)?,
        };
        let summary = summary.as_ref();
        let (shape, classes) = (environment.data.shape, environment.data.classes.len());
        Ok(Self {
            run: name(path),
            path: path.to_owned(),
            status,
            why,
            name: config.name.clone(),
            started: environment.started.clone(),
            stand_in: environment.data.stand_in,
            epochs_done,
            epochs: config.training.epochs,
            best_epoch: best.map(|(epoch, ..)| epoch),
            test_accuracy: summary.map(|summary| summary.test_accuracy),
            test_loss: summary.map(|summary| summary.test_loss),
            validation_accuracy: best.map(|(_, accuracy, _)| accuracy),
            validation_loss: best.map(|(.., loss)| loss),
            train_accuracy: summary.map(|summary| summary.train_accuracy),
            parameters: config.parameters(shape, classes),
            seconds: summary.map(|summary| summary.seconds),
            config,
            environment,
        })
    }

    /// The accuracy on one part of the data, and the loss where it is known; `None` if the run has
    /// no such score.
    pub fn score(&self, split: SplitName) -> Option<(f64, Option<f64>)> {
        match split {
            SplitName::Train => Some((self.train_accuracy?, None)),
            SplitName::Validation => Some((self.validation_accuracy?, self.validation_loss)),
            SplitName::Test => Some((self.test_accuracy?, self.test_loss)),
        }
    }

    /// Its directory.
    pub fn directory(&self) -> Result<RunDir, RunError> {
        RunDir::open(&self.path)
    }
}

impl RunStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

fn status(
    run: &RunDir,
    owner: Option<String>,
    summary: Option<&Summary>,
) -> (RunStatus, Option<String>) {
    match (owner, summary) {
        (Some(owner), _) => (RunStatus::Running, Some(owner)),
        (None, Some(_)) => (RunStatus::Finished, None),
        (None, None) => match diary::failure(&run.log()) {
            Some(reason) => (RunStatus::Failed, Some(reason)),
            None => (RunStatus::Interrupted, None),
        },
    }
}

fn best_of(summary: &Summary) -> Option<Epoch> {
    summary.best.as_ref().map(|best| (best.epoch, best.accuracy, best.loss))
}

/// The epochs that are done and the best of them, of a run that is not finished.
fn progress(
    run: &RunDir,
    environment: &Environment,
    status: RunStatus,
) -> Result<(usize, Option<Epoch>), RunError> {
    let saved = Checkpoints::existing(run.checkpoints(), &environment.run).reached()?;
    let saved = saved.map_or(0, |(epochs, _)| epochs);
    let rows = Row::read_all(run);
    let reported = rows.last().map_or(0, |row| row.epoch);
    // What was reported after the last checkpoint is undone when the run is resumed.
    let done = if status == RunStatus::Running { saved.max(reported) } else { saved };
    let epochs = rows
        .iter()
        .filter(|row| row.epoch <= done)
        .filter_map(|row| Some((row.epoch, row.validation_accuracy?, row.validation_loss?)));
    let is_better =
        |one: &Epoch, other: &Epoch| one.1 > other.1 || one.1 == other.1 && one.2 < other.2;
    Ok((done, epochs.reduce(|best, next| if is_better(&next, &best) { next } else { best })))
}
