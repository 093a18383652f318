//! A model with its normalisation and its objective.

mod classifier;
mod description;
mod foreign_weights;
mod objective;
mod scores;
mod temperature;
mod weights;

pub use classifier::{Classifier, ClassifierConfig, EVALUATION_BATCH};
pub use description::ModelDescription;
pub use foreign_weights::ForeignWeights;
pub use objective::{ClassWeights, Head, Objective, ObjectiveConfig};
pub use scores::{Scores, argmax, class_logits, confidence, is_in_top_5, loss_and_prediction};
pub use temperature::{saved_temperature, with_saved_temperature};
pub use weights::{Weights, parameter_ids};
