use serde::Serialize;

use crate::model::argmax;

/// A predicted class with the probability of every class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Path of the image file, or the features.
    pub input: String,
    /// Name of the most likely class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
    /// Probability of each class, in the order of the labels.
    pub probabilities: Vec<ClassProbability>,
}

/// Probability of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassProbability {
    /// Name of the class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
}

/// What a model computes for one example.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelOutput {
    /// One number per class, or the log odds of the second of two classes; without the temperature.
    pub logits: Vec<f32>,
    /// Probability of each class, with the temperature, in the order of the labels.
    pub probabilities: Vec<f32>,
}

impl Prediction {
    /// The prediction for `input` with the probability of each of `classes`.
    pub fn new(input: String, classes: &[String], probabilities: &[f32]) -> Self {
        let best = argmax(probabilities);
        let pairs = classes.iter().cloned().zip(probabilities.iter().copied());
        Self {
            input,
            class: classes.get(best).cloned().unwrap_or_default(),
            probability: probabilities.get(best).copied().unwrap_or(f32::NAN),
            probabilities: pairs
                .map(|(class, probability)| ClassProbability { class, probability })
                .collect(),
        }
    }
}
