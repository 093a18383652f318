use artifacts::{Calibration, CalibrationBins, ClassScore, DataIdentity, Evaluation};
use burn::tensor::{Device, Tensor};
use data::{DatasetError, Examples, SplitKind};
use support::ProgressTask;

use super::curves::Thresholds;
use crate::model::{Classifier, Tally, class_logits, confidence};

/// Evaluates `classifier`, which must be without autodiff on `device`, on the examples of `split`.
pub fn evaluate(
    classifier: &Classifier,
    split: SplitKind,
    examples: &Examples,
    identity: &DataIdentity,
    device: &Device,
) -> Result<Evaluation, DatasetError> {
    let head = classifier.objective().head;
    let mut tally = Tally::new(identity.classes.len());
    let mut margins = Vec::new();
    let temperature = classifier.temperature();
    let [mut before, mut after] = [CalibrationBins::default(), CalibrationBins::default()];
    let task = ProgressTask::start(format!("evaluating the {split} set"), examples.len());
    classifier.evaluate(examples, device, |items, logits| {
        for (logits, label) in rows(logits).iter().zip(examples.labels_at(items)) {
            let is_correct = tally.count(head, logits, &[label]).correct == 1;
            let all: Vec<_> = class_logits(logits).collect();
            before.add(confidence(&all, 1.0), is_correct);
            after.add(confidence(&all, temperature.unwrap_or(1.0)), is_correct);
            margins.extend(margin(logits).map(|margin| (margin, label == 1)));
        }
        task.advance(items.len());
    })?;
    Ok(Evaluation {
        split,
        data: None,
        synthetic: identity.synthetic,
        count: examples.len(),
        loss: tally.sums.loss(),
        accuracy: tally.sums.accuracy(),
        classes: ClassScore::of_confusion(&tally.confusion, &identity.classes),
        roc_auc: Thresholds::new(margins).roc_auc(),
        top_5: tally.top_5(),
        calibration: Some(Calibration {
            temperature,
            error_before: before.error(),
            error_after: temperature.map(|_| after.error()),
        }),
        deduplicated: None,
        confusion: tally.confusion,
    })
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
