use std::collections::BTreeMap;

use artifacts::{Calibration, CalibrationBins, ClassScore, DataIdentity, Evaluation};
use burn::tensor::{Device, Tensor};
use data::{DatasetError, Examples, SplitKind};
use support::ProgressTask;

use super::curves::Thresholds;
use crate::model::{Classifier, class_logits, confidence, is_in_top_5, loss_and_prediction};

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
    let mut in_top_5 = 0;
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
            in_top_5 += usize::from(is_in_top_5(logits, label as usize));
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
        roc_auc: Thresholds::new(margins).roc_auc(),
        top_5: (identity.classes.len() > 5).then(|| in_top_5 as f64 / examples.len() as f64),
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
