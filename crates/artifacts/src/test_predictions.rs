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
    /// Some wrong predictions, most confident first.
    pub mistakes: Vec<ExampleView>,
    /// Some correct predictions, least confident first.
    pub hardest: Vec<ExampleView>,
    /// Some training images as the model sees them in the first epoch: PNG in base64.
    pub batch: Vec<String>,
    /// Layers of the model.
    pub layers: Vec<LayerSummary>,
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
    /// Probability of each class.
    pub probabilities: Vec<f32>,
    /// PNG in base64; `None` for features.
    pub picture: Option<String>,
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
