//! A model with its normalisation and its objective.

mod classifier;
mod description;
mod foreign_weights;
mod objective;
mod scores;
mod weights;

pub use classifier::{Classifier, ClassifierConfig, EVALUATION_BATCH};
pub use description::{ModelDescription, saved_temperature};
pub use foreign_weights::ForeignWeights;
pub use objective::{ClassWeights, Head, Objective, ObjectiveConfig};
pub use scores::{Scores, Tally, argmax, class_logits, confidence, loss_and_prediction};
pub use weights::{LoadedTensors, Weights, parameter_ids};
