use data::SplitKind;
use serde::{Deserialize, Serialize};

use crate::CalibrationBins;

/// Predictions for single examples of the test set, or of the part whose scores are reported in its
/// place, for the report: `test_predictions.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestPredictions {
    /// The part of the data.
    pub split: SplitKind,
    /// Its examples by the confidence of their prediction, with the temperature of the model.
    pub calibration: CalibrationBins,
    /// Indices of all wrong predictions.
    pub wrong: Vec<usize>,
    /// Curves of each class, in the order of the labels.
    #[serde(default)]
    pub curves: Vec<ClassCurves>,
    /// Some of the examples: mistakes first, the most confident ones first and as many of each pair of
    /// classes as of others, then correct predictions, the least confident ones of each class first.
    #[serde(default)]
    pub examples: Vec<ExampleView>,
    /// Some training images as the model sees them in the first epoch.
    #[serde(default, rename = "first_batch")]
    pub batch: Vec<BatchImage>,
    /// Layers of the model.
    pub layers: Vec<LayerSummary>,
}

/// How well the probability of a class separates its examples from the others, for all thresholds. The
/// curves have at most 50 points, and none in data of more than 40 classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassCurves {
    /// False and true positive rate.
    pub roc: Vec<[f64; 2]>,
    /// Recall and precision.
    pub precision_recall: Vec<[f64; 2]>,
    /// Area under the ROC curve; `None` if all examples or none belong to the class.
    pub roc_auc: Option<f64>,
    /// Average precision: the sum of precisions, each weighted by the increase in recall; `None` if no
    /// example belongs to the class.
    pub average_precision: Option<f64>,
}

/// An example with its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExampleView {
    /// Index in its part of the data.
    pub item: usize,
    /// Path of its original file, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// Index of the true class.
    pub label: usize,
    /// The five most probable classes with their probabilities, the most probable first, and the true
    /// class if it is not among them.
    pub top: Vec<(usize, f32)>,
    /// Data URI of the image, at most 96 pixels wide and high; `None` for features.
    pub picture: Option<String>,
    /// Occlusion sensitivity (Zeiler and Fergus 2014, arXiv:1311.2901) of a mistake: by how much a grey
    /// square lowers the probability of the predicted class, row by row.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub saliency: Option<Saliency>,
}

impl ExampleView {
    /// Index of the most probable class.
    pub fn predicted(&self) -> usize {
        self.top.first().map_or(self.label, |(class, _)| *class)
    }
}

/// Values on a grid over an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saliency {
    /// Number of columns.
    pub columns: usize,
    /// Values, row-major.
    pub values: Vec<f32>,
}

/// An image of a training batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchImage {
    /// Data URI of the image.
    pub picture: String,
    /// Index of its class.
    pub label: usize,
}

/// One layer of a model, as summaries show it: an operation and the ones that follow it before the
/// next layer.
///
/// Layers are listed in the order of the forward pass, a shortcut before the convolution it is
/// added to. Their parameters add up to those of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Path in the model, for example `stages.0.1` or `output`.
    pub name: String,
    /// The operation: `linear`, `flatten`, `channel means`, `max pool 2x2`, `conv 3x3`, or
    /// `conv 3x3/2` with stride 2.
    pub kind: String,
    /// Operations that follow, in order: `norm`, `add`, the name of an activation, `dropout 0.5`.
    pub then: Vec<String>,
    /// Shape of the output for one example: `[height, width, channels]` or `[units]`.
    pub output: Vec<usize>,
    /// Number of parameters, those of a following batch norm included.
    pub parameters: usize,
    /// Number of these that are not trained: running statistics of batch norm.
    pub running: usize,
    /// Multiply-accumulate operations for one example; twice as many floating-point operations.
    pub multiply_adds: usize,
}
