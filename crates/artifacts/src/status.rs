use std::process;
use std::time::SystemTime;

use data::SplitKind;
use serde::{Deserialize, Serialize};

use crate::{ArtifactError, Calibration, FORMAT, RunDir, read_json_if_exists, write_json};

/// The state of a run as its last process recorded it: `status.json`.
///
/// A process that is killed records nothing. A run whose status is `running` and whose lock is
/// free was interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusFile {
    /// Format of the run directory.
    pub format: u32,
    /// State of the run.
    pub status: StatusKind,
    /// The error of a failed run, or the signal that stopped it.
    pub reason: Option<String>,
    /// Time of the change to this state, RFC 3339 in UTC.
    pub since: String,
    /// Id of the process that recorded it.
    pub process: u32,
    /// Seconds that all processes so far have trained and evaluated.
    #[serde(default)]
    pub seconds: f64,
}

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// A process trains the run.
    Running,
    /// The last epoch is done or training stopped early, and the model was evaluated.
    Finished,
    /// Stopped on request, with a checkpoint.
    Stopped,
    /// Ended with an error.
    Failed,
}

/// State of a run, by its files and its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// A process has the lock of the run.
    Running,
    /// The run has a summary.
    Finished,
    /// Stopped on request; the run can be resumed.
    Stopped,
    /// Ended with an error; the run can be resumed once the cause is fixed.
    Failed,
    /// The process was killed; the run can be resumed.
    Interrupted,
}

impl RunStatus {
    /// The state of `run`, whose lock has this `owner` and whose result is `summary`, and its reason: the
    /// process, the error or the signal. Read the lock before the summary: a run that ends in between
    /// is then running, not interrupted.
    pub fn of(
        run: &RunDir,
        owner: Option<String>,
        summary: Option<&Summary>,
    ) -> Result<(Self, Option<String>), ArtifactError> {
        if owner.is_some() {
            return Ok((Self::Running, owner));
        }
        if summary.is_some() {
            return Ok((Self::Finished, None));
        }
        let Some(file) = StatusFile::read(run)? else { return Ok((Self::Interrupted, None)) };
        Ok(match file.status {
            StatusKind::Failed => (Self::Failed, file.reason),
            StatusKind::Stopped => (Self::Stopped, file.reason),
            // The process that recorded `running` no longer has the lock; a result is missing.
            StatusKind::Running | StatusKind::Finished => (Self::Interrupted, None),
        })
    }

    /// Name in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl StatusFile {
    /// Records that this process has brought `run` into a state, `seconds` after its start, without
    /// interruptions.
    pub fn write(
        run: &RunDir,
        status: StatusKind,
        reason: Option<String>,
        seconds: f64,
    ) -> Result<(), ArtifactError> {
        let since = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let file = Self { format: FORMAT, status, reason, since, process: process::id(), seconds };
        write_json(&run.status(), &file)
    }

    /// Reads the status of `run`; `None` if the run has not started.
    pub fn read(run: &RunDir) -> Result<Option<Self>, ArtifactError> {
        read_json_if_exists(&run.status())
    }
}

/// Result of a finished run: `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the experiment.
    pub name: String,
    /// True if the data are synthetic.
    pub synthetic: bool,
    /// Epochs trained.
    pub epochs: usize,
    /// Optimizer steps taken.
    pub steps: usize,
    /// Number of trained and fitted parameters.
    pub parameters: usize,
    /// The best epoch, if there is a validation set. The scores below are those of its model,
    /// otherwise of the last one.
    pub best: Option<BestEpoch>,
    /// Accuracy on the training set, 0 to 1.
    pub train_accuracy: f64,
    /// Accuracy on the test set, 0 to 1, if there is one.
    pub test_accuracy: Option<f64>,
    /// Mean loss on the test set, if there is one.
    pub test_loss: Option<f64>,
    /// Calibration on the validation set, on which the temperature is fitted; `None` without one.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// SHA-256 of `best_model.bpk`.
    pub model_sha256: String,
    /// Seconds that all processes of the run have trained and evaluated.
    pub seconds: f64,
}

/// The epoch whose model a run saves; `training.best_metric` chooses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestEpoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Name of the checkpoint with its model.
    pub checkpoint: String,
    /// Validation accuracy, 0 to 1.
    pub accuracy: f64,
    /// Mean validation loss.
    pub loss: f64,
}

impl Summary {
    /// The part of the data whose scores are reported, and the accuracy on it, 0 to 1.
    pub fn reported(&self) -> (SplitKind, f64) {
        let validation = self.best.as_ref().map(|best| best.accuracy);
        match (self.test_accuracy, validation) {
            (Some(accuracy), _) => (SplitKind::Test, accuracy),
            (None, Some(accuracy)) => (SplitKind::Validation, accuracy),
            (None, None) => (SplitKind::Train, self.train_accuracy),
        }
    }

    /// Reads the result of `run`; `None` if it is not finished.
    pub fn read(run: &RunDir) -> Result<Option<Self>, ArtifactError> {
        read_json_if_exists(&run.summary())
    }
}
