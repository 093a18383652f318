use data::SplitKind;
use serde::{Deserialize, Serialize};

/// Scores of a model on one split of the data: `evaluation-<split>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The split.
    pub split: SplitKind,
    /// Path of the data, if they are not those of the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<String>,
    /// True if the data are synthetic.
    pub synthetic: bool,
    /// Number of examples.
    pub count: usize,
    /// Mean loss.
    pub loss: f64,
    /// Share of correct predictions, 0 to 1.
    pub accuracy: f64,
    /// Scores of each class, in the order of the labels.
    pub classes: Vec<ClassScore>,
    /// Area under the ROC curve of a binary task; `None` for other tasks, or if a class has no
    /// example.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub roc_auc: Option<f64>,
    /// Score without near-duplicates of training images; `None` for the training set, and if none
    /// were searched for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deduplicated: Option<DeduplicatedScore>,
    /// Number of examples by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// One-vs-rest scores of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Name of the class.
    pub name: String,
    /// Share of the examples predicted as this class that belong to it; 0 if there are none.
    pub precision: f64,
    /// Share of the examples of this class that are predicted as it; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 if both are 0.
    pub f1: f64,
    /// Number of examples of the class.
    pub count: usize,
}

/// Score on the images without a near-duplicate in the training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeduplicatedScore {
    /// Indices of the images with a near-duplicate.
    pub near_duplicates: Vec<usize>,
    /// Number of the other images.
    pub count: usize,
    /// Number of correct predictions among these.
    pub correct: usize,
    /// Share of correct predictions; `None` if every image has a near-duplicate.
    pub accuracy: Option<f64>,
}

impl Evaluation {
    /// Number of correct predictions: the diagonal of the confusion matrix.
    pub fn correct(&self) -> usize {
        let rows = self.confusion.iter().enumerate();
        rows.filter_map(|(class, row)| row.get(class)).sum()
    }
}
