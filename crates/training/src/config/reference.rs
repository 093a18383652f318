use ::config::Check;
use serde::{Deserialize, Serialize};

/// Published results of the experiment: `[reference]`. They do not affect the run; `trainer
/// reproduce` compares with them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceConfig {
    /// Source of the results, for example a course and an exercise.
    pub source: String,
    /// Accuracy on the training set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub train_accuracy: Option<f64>,
    /// Accuracy on the test set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub test_accuracy: Option<f64>,
    /// Largest difference below an accuracy that counts as reproduced.
    #[serde(default = "two_points")]
    #[schemars(range(min = 0, max = 1))]
    pub tolerance: f64,
    /// Largest relative difference of a gradient check.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub gradient_difference: Option<f64>,
}

fn two_points() -> f64 {
    0.02
}

impl ReferenceConfig {
    /// Reports every invalid value; `tests` if the run has a test set.
    pub fn check(&self, tests: bool, check: &mut Check) {
        let scores = self.train_accuracy.is_some() || self.test_accuracy.is_some();
        check.require(
            "source",
            scores != self.gradient_difference.is_some(),
            "a reference is either an accuracy, `train_accuracy` or `test_accuracy`, or a `gradient_difference`",
        );
        check.require(
            "test_accuracy",
            tests || self.test_accuracy.is_none(),
            "there is no test set to compare it on: give the data one, or set `split.test_fraction`",
        );
        let length = self.source.len();
        check.require("source", length <= 1000, "use at most 1000 bytes");
    }
}
