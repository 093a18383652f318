use std::path::Path;

use dataset::Fit;
use serde::Serialize;

use crate::error::RunError;
use crate::scores::largest;

/// What a model takes an image or a point for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The path of the image file, as far as it is Unicode, or the features.
    pub input: String,
    /// The name of the most likely class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
    /// The probability of each class, in the order of the labels.
    pub probabilities: Vec<ClassProbability>,
}

/// The probability of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassProbability {
    /// The name of the class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
}

impl Prediction {
    /// The prediction for `input` with one probability a class; `None` if there is no class.
    pub fn new(input: String, classes: &[String], probabilities: &[f32]) -> Option<Self> {
        let pairs = classes.iter().cloned().zip(probabilities.iter().copied());
        let all: Vec<_> =
            pairs.map(|(class, probability)| ClassProbability { class, probability }).collect();
        let ClassProbability { class, probability } = all.get(largest(probabilities))?.clone();
        Some(Self { input, class, probability, probabilities: all })
    }
}

/// Reads a PNG or JPEG of any size as pixels `[height, width, channels]` of `shape`, stretched as in
/// the courses.
pub fn read_image(path: &Path, shape: [usize; 3]) -> Result<Vec<u8>, RunError> {
    dataset::read_image(path, shape, Fit::Stretch)
        .map_err(|error| RunError::Image { path: path.to_owned(), reason: error.to_string() })
}
