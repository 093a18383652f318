//! The score on test images without near-duplicates in the training set.

use artifacts::{DataIdentity, DeduplicatedScore, Evaluation};
use burn::tensor::Device;
use data::Examples;
use data_sources::quality::near_duplicates::{NearDuplicateIndex, NearDuplicates};

use super::evaluate;
use crate::error::RunError;
use crate::model::Classifier;

/// The score of `evaluation`, that of `examples`, without images with a near-duplicate in `train`.
/// `None` if the examples are not images, or are too many to compare all of them.
pub fn deduplicate(
    evaluation: &Evaluation,
    [train, examples]: [&Examples; 2],
    classifier: &Classifier,
    identity: &DataIdentity,
    device: &Device,
) -> Result<Option<DeduplicatedScore>, RunError> {
    let Some(found) = find_near_duplicates(train, examples)? else { return Ok(None) };
    if found.searched < examples.len() {
        return Ok(None);
    }
    let near_duplicates: Vec<usize> = found.pairs.iter().map(|pair| pair.index).collect();
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

fn find_near_duplicates(
    train: &Examples,
    examples: &Examples,
) -> Result<Option<NearDuplicates>, RunError> {
    let indices = (NearDuplicateIndex::of(train)?, NearDuplicateIndex::of(examples)?);
    let (Some(train), Some(examples)) = indices else { return Ok(None) };
    Ok(Some(train.near_duplicates(&examples)?))
}
