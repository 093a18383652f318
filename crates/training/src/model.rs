//! A model with its normalisation and its objective.

mod classifier;
mod objective;
mod scores;
mod weights;

pub use classifier::{Classifier, ClassifierConfig, EVALUATION_BATCH};
pub use objective::{ClassWeights, Head, Objective, ObjectiveConfig};
pub use scores::{Scores, argmax, loss_and_prediction};
pub use weights::Weights;
