//! What a score is worth where test images are training images, or nearly.

use burn::tensor::Device;
use dataset::{Album, Examples, Twins};
use serde::{Deserialize, Serialize};

use crate::classifier::Classifier;
use crate::environment::DataIdentity;
use crate::error::RunError;
use crate::evaluation::Evaluation;

/// The score on the images that have no twin in the training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithoutTwins {
    /// The images that have one, by their index in the part.
    pub twins: Vec<usize>,
    /// The number of the others.
    pub count: usize,
    /// How many of them are classified rightly.
    pub correct: usize,
    /// The share of them; none if there is no other.
    pub accuracy: Option<f64>,
}

impl WithoutTwins {
    /// What is left of `evaluation`, that of `examples`, without those with a twin in `train`. None
    /// for what are no images, and where there are too many to compare all of them.
    pub fn of(
        evaluation: &Evaluation,
        [train, examples]: [&Examples; 2],
        classifier: &Classifier,
        identity: &DataIdentity,
        device: &Device,
    ) -> Result<Option<Self>, RunError> {
        let Some(found) = twins(train, examples)? else { return Ok(None) };
        if found.searched < examples.len() {
            return Ok(None);
        }
        let twins: Vec<usize> = found.pairs.iter().map(|twin| twin.index).collect();
        // Only the twins are classified once more, and they are few.
        let among = match twins.is_empty() {
            true => 0,
            false => {
                let twins = examples.select(&twins);
                Evaluation::of(classifier, evaluation.split, &twins, identity, device)?.correct()
            }
        };
        let count = examples.len() - twins.len();
        let correct = evaluation.correct().saturating_sub(among);
        let accuracy = (count > 0).then(|| correct as f64 / count as f64);
        Ok(Some(Self { twins, count, correct, accuracy }))
    }
}

fn twins(train: &Examples, examples: &Examples) -> Result<Option<Twins>, RunError> {
    let (train, examples) = (Album::of(train)?, Album::of(examples)?);
    Ok(train.zip(examples).map(|(train, examples)| train.twins(&examples)).transpose()?)
}
