//! The files of a run directory that a report is made of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::calibration::Bin;
use crate::curves::{self, Row};
use crate::error::ReportError;

/// Where they lie. All but the config, the environment and the metrics may be missing.
#[derive(Debug, Clone)]
pub struct RunFiles {
    /// The run directory, as the report calls it.
    pub directory: PathBuf,
    /// The resolved config.
    pub config: PathBuf,
    /// Versions, device and the identity of the data.
    pub environment: PathBuf,
    /// The metrics, one JSON object a line.
    pub metrics: PathBuf,
    /// The seconds of each epoch, one JSON object a line.
    pub timings: PathBuf,
    /// The outcome of a finished run.
    pub summary: PathBuf,
    /// The scores on the test set.
    pub evaluation: PathBuf,
    /// What the model says of single examples.
    pub findings: PathBuf,
    /// The SVG of the boundary between the classes.
    pub boundary: PathBuf,
}

/// What they say.
pub struct RunData {
    pub directory: PathBuf,
    pub config: String,
    pub environment: Environment,
    pub rows: Vec<Row>,
    pub timings: Vec<Timing>,
    pub summary: Option<Summary>,
    pub evaluation: Option<Evaluation>,
    pub findings: Option<Findings>,
    pub boundary: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Environment {
    pub trainer: String,
    pub commit: Option<String>,
    pub burn: String,
    pub platform: String,
    pub device: String,
    pub seed: u64,
    pub started: String,
    pub data: DataIdentity,
}

#[derive(Debug, Deserialize)]
pub struct DataIdentity {
    pub stand_in: bool,
    pub sha256: BTreeMap<String, String>,
    pub are_images: bool,
    pub shape: [usize; 3],
    pub classes: Vec<String>,
    pub counts: BTreeMap<String, usize>,
}

/// How long an epoch took.
#[derive(Debug, Deserialize)]
pub struct Timing {
    pub epoch: u32,
    /// The examples that were trained on in this time.
    pub examples: u64,
    pub seconds: f64,
}

#[derive(Debug, Deserialize)]
pub struct Summary {
    pub epochs: usize,
    pub steps: usize,
    pub parameters: usize,
    pub best: Option<Best>,
    pub train_accuracy: f64,
    pub seconds: f64,
}

#[derive(Debug, Deserialize)]
pub struct Best {
    pub epoch: usize,
    pub accuracy: f64,
}

#[derive(Debug, Deserialize)]
pub struct Evaluation {
    pub count: usize,
    pub loss: f64,
    pub classes: Vec<ClassScore>,
    pub roc_auc: Option<f64>,
    #[serde(default)]
    pub without_twins: Option<WithoutTwins>,
    pub confusion: Vec<Vec<usize>>,
}

/// The score on what has no twin in the training set.
#[derive(Debug, Deserialize)]
pub struct WithoutTwins {
    pub twins: Vec<usize>,
    pub count: usize,
    pub correct: usize,
    pub accuracy: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub struct ClassScore {
    pub name: String,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub count: usize,
}

/// What the model says of single examples of the test set.
#[derive(Debug, Deserialize)]
pub struct Findings {
    pub calibration: Vec<Bin>,
    /// All that it takes for another class.
    pub wrong: Vec<usize>,
    /// Some of these, the most confident first.
    pub mistakes: Vec<Shown>,
    /// Some that are right, the least confident first.
    pub hardest: Vec<Shown>,
    /// Training images as the model sees them: PNG in base64.
    pub batch: Vec<String>,
    /// The layers of the model.
    #[serde(default)]
    pub layers: Vec<Layer>,
}

#[derive(Debug, Deserialize)]
pub struct Shown {
    pub item: usize,
    pub label: usize,
    pub probabilities: Vec<f32>,
    /// A PNG in base64; features have none.
    pub picture: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Layer {
    pub name: String,
    pub kind: String,
    pub then: Vec<String>,
    pub output: Vec<usize>,
    pub parameters: u64,
    pub multiply_adds: u64,
}

impl RunFiles {
    /// Reads them.
    pub fn read(&self) -> Result<RunData, ReportError> {
        Ok(RunData {
            directory: self.directory.clone(),
            config: text(&self.config)?,
            environment: required(&self.environment)?,
            rows: curves::read(&self.metrics)?,
            timings: timings(&self.timings),
            summary: optional(&self.summary)?,
            evaluation: optional(&self.evaluation)?,
            findings: optional(&self.findings)?,
            boundary: self.boundary.exists().then(|| text(&self.boundary)).transpose()?,
        })
    }
}

impl RunData {
    /// The name of the run: that of its directory.
    pub fn title(&self) -> String {
        let name = self.directory.file_name().unwrap_or(self.directory.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Test images that were classified rightly, and all of them.
    pub fn correct(&self) -> Option<(usize, usize)> {
        let evaluation = self.evaluation.as_ref()?;
        let right = evaluation.confusion.iter().enumerate();
        Some((right.filter_map(|(class, row)| row.get(class)).sum(), evaluation.count))
    }
}

/// Nothing waits for these to be on the disk: a power cut leaves lines that are none.
fn timings(path: &Path) -> Vec<Timing> {
    let text = fs::read(path).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ReportError> {
    path.exists().then(|| required(path)).transpose()
}

fn required<T: DeserializeOwned>(path: &Path) -> Result<T, ReportError> {
    serde_json::from_str(&text(path)?).map_err(|source| ReportError::Malformed {
        path: path.to_owned(),
        line: source.line(),
        source,
    })
}

fn text(path: &Path) -> Result<String, ReportError> {
    fs::read_to_string(path).map_err(|error| ReportError::read(path, error))
}
