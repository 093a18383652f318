use std::collections::BTreeMap;

use artifacts::{Calibration, CalibrationBins, ClassScore, DataIdentity, Evaluation};
use burn::tensor::{Device, Tensor};
use data::{DatasetError, Examples, SplitKind};
use support::ProgressTask;

use crate::model::{Classifier, class_logits, confidence, loss_and_prediction};

/// Evaluates `classifier`, which must be without autodiff on `device`, on the examples of `split`.
pub fn evaluate(
    classifier: &Classifier,
    split: SplitKind,
    examples: &Examples,
    identity: &DataIdentity,
    device: &Device,
) -> Result<Evaluation, DatasetError> {
    let head = classifier.objective().head;
    let mut counts = BTreeMap::new();
    let mut loss = 0.0;
    let mut margins = Vec::new();
    let temperature = classifier.temperature();
    let [mut before, mut after] = [CalibrationBins::default(), CalibrationBins::default()];
    let task = ProgressTask::start(format!("evaluating the {split} set"), examples.len());
    classifier.evaluate(examples, device, |items, logits| {
        for (logits, label) in rows(logits).iter().zip(examples.labels_at(items)) {
            let (example_loss, predicted) = loss_and_prediction(head, logits, label);
            loss += example_loss;
            *counts.entry((label as usize, predicted)).or_default() += 1;
            let (is_correct, all) =
                (predicted == label as usize, class_logits(logits).collect::<Vec<_>>());
            before.add(confidence(&all, 1.0), is_correct);
            after.add(confidence(&all, temperature.unwrap_or(1.0)), is_correct);
            margins.extend(margin(logits).map(|margin| (margin, label == 1)));
        }
        task.advance(items.len());
    })?;
    let confusion = confusion(&counts, identity.classes.len());
    let mut evaluation = Evaluation {
        split,
        data: None,
        synthetic: identity.synthetic,
        count: examples.len(),
        loss: loss / examples.len() as f64,
        accuracy: 0.0,
        classes: ClassScore::of_confusion(&confusion, &identity.classes),
        roc_auc: roc_auc(margins),
        calibration: Some(Calibration {
            temperature,
            error_before: before.error(),
            error_after: temperature.map(|_| after.error()),
        }),
        deduplicated: None,
        confusion,
    };
    evaluation.accuracy = evaluation.correct() as f64 / examples.len() as f64;
    Ok(evaluation)
}

/// Natural logarithms of the class probabilities of each row of `logits`, with the temperature of
/// `classifier`.
pub fn log_probabilities(classifier: &Classifier, logits: Tensor<2>) -> Vec<Vec<f32>> {
    rows(classifier.log_probabilities(logits))
}

/// The rows of `values` in host memory.
pub fn rows(values: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, width] = values.dims();
    let values: Vec<f32> = values.into_data().iter::<f32>().collect();
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

/// Log odds of the second of two classes, from the logits of a sigmoid or a softmax; `None` if
/// there are more classes.
fn margin(logits: &[f32]) -> Option<f32> {
    match logits {
        [second] => Some(*second),
        [first, second] => Some(second - first),
        _ => None,
    }
}

/// The confusion matrix: counts by true class (row) and predicted class (column).
fn confusion(counts: &BTreeMap<(usize, usize), usize>, classes: usize) -> Vec<Vec<usize>> {
    let count = |label, predicted| counts.get(&(label, predicted)).copied().unwrap_or(0);
    let row = |label| (0..classes).map(|predicted| count(label, predicted)).collect();
    (0..classes).map(row).collect()
}

/// The area under the ROC curve of scores, each with whether it is of the positive class: the
/// Mann-Whitney statistic (Hanley and McNeil 1982), in which ties count half.
fn roc_auc(mut scores: Vec<(f32, bool)>) -> Option<f64> {
    scores.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in scores.chunk_by(|one, other| one.0 == other.0) {
        let positive = tied.iter().filter(|(_, positive)| *positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins += positive * (below + 0.5 * negative);
        below += negative;
    }
    let pairs = below * (scores.len() as f64 - below);
    (pairs > 0.0).then_some(wins / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_under_the_roc_curve_counts_pairs_in_the_right_order() {
        let scores = [(0.9, true), (0.8, false), (0.7, true), (0.7, false), (0.1, false)];
        // Of 6 pairs: 3 won by 0.9; 0.7 wins against 0.1 and half against 0.7.
        assert_eq!(roc_auc(scores.to_vec()), Some(4.5 / 6.0));
        assert_eq!(roc_auc(vec![(0.3, true), (0.2, true)]), None);
    }
}
