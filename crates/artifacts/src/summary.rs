use data::SplitKind;
use serde::{Deserialize, Serialize};

use crate::{ArtifactError, Calibration, RunDir, read_json_if_exists};

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
