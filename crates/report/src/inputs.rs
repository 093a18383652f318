//! The files of a run directory that a report shows.

use std::fs;
use std::path::PathBuf;

use artifacts::{
    ArtifactError, Environment, EpochMetrics, EpochTiming, Evaluation, RunDir, StatusFile, Summary,
    TestPredictions, read_json_if_exists,
};
use data::SplitKind;

/// Largest number of classes of which all pairs are shown.
const MANY_CLASSES: usize = 40;

/// Contents of a run directory. All but config, environment and metrics may be missing.
pub struct RunData {
    pub directory: PathBuf,
    pub config: String,
    pub environment: Environment,
    pub epochs: Vec<EpochMetrics>,
    pub timings: Vec<EpochTiming>,
    pub summary: Option<Summary>,
    /// Scores of the reported part.
    pub evaluation: Option<Evaluation>,
    pub predictions: Option<TestPredictions>,
    /// SVG of the decision boundary.
    pub boundary: Option<String>,
    /// State of the run, if it has started.
    pub status: Option<StatusFile>,
}

impl RunData {
    pub fn read(run: &RunDir) -> Result<Self, ArtifactError> {
        let (config, boundary) = (run.config(), run.picture("boundary.svg"));
        let environment = Environment::read(run)?;
        Ok(Self {
            directory: run.path().to_owned(),
            config: fs::read_to_string(&config)
                .map_err(|error| ArtifactError::read(&config, error))?,
            epochs: EpochMetrics::read_all(run)?,
            timings: EpochTiming::read_all(run),
            summary: Summary::read(run)?,
            evaluation: read_json_if_exists(&run.evaluation(environment.data.reported()))?,
            environment,
            predictions: read_json_if_exists(&run.test_predictions())?,
            status: StatusFile::read(run)?,
            boundary: fs::read_to_string(boundary).ok(),
        })
    }

    /// Name of the run: the name of its directory.
    pub fn title(&self) -> String {
        let name = self.directory.file_name().unwrap_or(self.directory.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Whether training images are changed at random.
    pub fn is_augmented(&self) -> bool {
        let mut lines = self.config.lines();
        lines.any(|line| line.starts_with("augmentation =") || line == "[[augmentation]]")
    }

    /// Whether there are too many classes for a matrix or a list of all.
    pub fn has_many_classes(&self) -> bool {
        self.environment.data.classes.len() > MANY_CLASSES
    }

    /// The part of the data whose scores the report shows.
    pub fn reported(&self) -> SplitKind {
        self.environment.data.reported()
    }

    /// Heading of its scores.
    pub fn reported_scores(&self) -> &'static str {
        match self.reported() {
            SplitKind::Test => "Test scores",
            SplitKind::Validation => "Validation scores",
            SplitKind::Train => "Training scores",
        }
    }

    /// The epochs before which the run was resumed, and the best one.
    pub fn marks(&self) -> Vec<(f64, String)> {
        let resumed = self.timings.iter().filter(|timing| timing.is_resumed);
        let resumed = resumed.map(|timing| (timing.epoch as f64 - 1.0, "resumed".to_owned()));
        let best = self.summary.as_ref().and_then(|summary| summary.best.as_ref());
        let best = best.map(|best| (best.epoch as f64, "best".to_owned()));
        resumed.chain(best).collect()
    }

    /// Numbers of correctly classified and of all examples of that part.
    pub fn correct(&self) -> Option<(usize, usize)> {
        let evaluation = self.evaluation.as_ref()?;
        Some((evaluation.correct(), evaluation.count))
    }
}
