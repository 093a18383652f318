use ::config::Check;
use serde::{Deserialize, Serialize};

/// What an experiment is known to reach: `[reference]`. It changes nothing in the run;
/// `trainer reproduce` compares with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceConfig {
    /// Who reached it, for example the course and the exercise.
    pub source: String,
    /// The share of the training set classified rightly.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub train_accuracy: Option<f64>,
    /// The share of the test set classified rightly.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub test_accuracy: Option<f64>,
    /// How far below an accuracy still counts as reproduced.
    #[serde(default = "two_points")]
    #[schemars(range(min = 0, max = 1))]
    pub tolerance: f64,
    /// The relative difference that a gradient check stays below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub gradient_difference: Option<f64>,
}

fn two_points() -> f64 {
    0.02
}

impl ReferenceConfig {
    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        let scores = self.train_accuracy.is_some() || self.test_accuracy.is_some();
        check.require(
            "source",
            scores != self.gradient_difference.is_some(),
            "a reference is either an accuracy, `train_accuracy` or `test_accuracy`, or a `gradient_difference`",
        );
        let length = self.source.len();
        check.require("source", length <= 1000, "a source is named in at most 1000 bytes");
    }
}
