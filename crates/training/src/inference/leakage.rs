//! The score on test images without near-duplicates in the training set.

use artifacts::{DataIdentity, DeduplicatedScore, Evaluation};
use burn::tensor::Device;
use data::{Examples, Split};
use data_sources::quality::near_duplicates::{Measure, NearDuplicateIndex};

use super::evaluate;
use crate::error::RunError;
use crate::model::Classifier;

/// The score of `evaluation`, that of `examples`, without images with a near-duplicate in the training set
/// of `data`, by the measure of all its parts. `None` if the examples are not images.
pub fn deduplicate(
    evaluation: &Evaluation,
    data: &Split,
    examples: &Examples,
    classifier: &Classifier,
    identity: &DataIdentity,
    device: &Device,
) -> Result<Option<DeduplicatedScore>, RunError> {
    let Some(near_duplicates) = near_duplicates(data, examples)? else { return Ok(None) };
    // Only the near-duplicates are classified again, and they are few.
    let correct_duplicates = if near_duplicates.is_empty() {
        0
    } else {
        let duplicates = examples.select(&near_duplicates);
        evaluate(classifier, evaluation.split, &duplicates, identity, device)?.correct()
    };
    let count = examples.len() - near_duplicates.len();
    let correct = evaluation.correct().saturating_sub(correct_duplicates);
    let accuracy = (count > 0).then(|| correct as f64 / count as f64);
    Ok(Some(DeduplicatedScore { near_duplicates, count, correct, accuracy }))
}

/// Indices of the `examples` with a near-duplicate in the training set of `data`.
fn near_duplicates(data: &Split, examples: &Examples) -> Result<Option<Vec<usize>>, RunError> {
    let parts = [Some(&data.train), data.validation.as_ref(), data.test.as_ref()];
    let parts: Vec<&Examples> = parts.into_iter().flatten().collect();
    let Some(measure) = Measure::fit(&parts)? else { return Ok(None) };
    let train = NearDuplicateIndex::new(&data.train, &measure)?;
    let examples = NearDuplicateIndex::new(examples, &measure)?;
    let (Some(train), Some(examples)) = (train, examples) else { return Ok(None) };
    let near_duplicates = train.near_duplicates(&examples)?;
    Ok(Some(near_duplicates.into_iter().map(|pair| pair.index).collect()))
}
