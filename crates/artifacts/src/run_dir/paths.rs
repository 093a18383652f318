//! The paths of the files of a run.

use std::path::{Path, PathBuf};

use data::SplitKind;

use super::RunDir;

impl RunDir {
    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved config.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// Versions, device, seed and the identity of the data.
    pub fn environment(&self) -> PathBuf {
        self.path.join("environment.json")
    }

    /// The state of the run as its last process recorded it.
    pub fn status(&self) -> PathBuf {
        self.path.join("status.json")
    }

    /// The metrics, one JSON object per line.
    pub fn metrics_jsonl(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Log of the run.
    pub fn log(&self) -> PathBuf {
        self.path.join("run.log")
    }

    /// Directory of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Weights of the best epoch of a finished run.
    pub fn best_model(&self) -> PathBuf {
        self.path.join("best_model.bpk")
    }

    /// Run of the final fit, on the training and the validation set.
    pub fn final_fit(&self) -> PathBuf {
        self.path.join("final")
    }

    /// The run whose model is that of this one: the final fit once it is finished.
    pub fn model_run(self) -> Self {
        let last = Self { path: self.final_fit() };
        if last.summary().is_file() { last } else { self }
    }

    /// Result of a finished run.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// Predictions for single test examples.
    pub fn test_predictions(&self) -> PathBuf {
        self.path.join("test_predictions.json")
    }

    /// The report.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The page that compares the run with others.
    pub fn comparison(&self, others: &[Self]) -> PathBuf {
        let [other] = others else { return self.path.join("comparison.html") };
        let name = other.path.file_name().unwrap_or(other.path.as_os_str());
        self.path.join(format!("against-{}.html", name.display()))
    }

    /// The picture called `name`, without its extension.
    pub fn picture(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Scores on one split of the data.
    pub fn evaluation(&self, split: SplitKind) -> PathBuf {
        self.path.join(format!("evaluation-{}.json", split.as_str()))
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }
}
