//! Scores and predictions of a trained model.

mod calibration;
mod curves;
mod decision_boundary;
mod evaluate;
mod leakage;
mod picture;
mod portable_model;
mod prediction;
mod predictor;
mod saliency;
mod test_predictions;

pub use calibration::calibrate;
pub use decision_boundary::decision_boundary;
pub use evaluate::{evaluate, log_probabilities, rows};
pub use leakage::deduplicate;
pub use prediction::{ClassProbability, ModelOutput, Prediction};
pub use predictor::Predictor;
pub use test_predictions::{FirstBatch, MOST_OCCLUDED, test_predictions};
