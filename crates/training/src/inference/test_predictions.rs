use std::collections::BTreeMap;

use artifacts::{
    BatchImage, CalibrationBins, ClassCurves, ExampleView, LayerSummary, TestPredictions,
};
use burn::tensor::Device;
use data::{
    Augmentation, Augmenter, BatchIndex, Examples, Split, SplitKind, Statistics, Values, shuffled,
};
use support::ProgressTask;

use super::curves::Thresholds;
use super::log_probabilities;
use super::picture::picture;
use super::saliency::{OCCLUDED, saliency};
use crate::error::RunError;
use crate::model::{Classifier, argmax};

/// Largest number of examples that are shown, and the part of it for mistakes.
const MOST_EXAMPLES: usize = 400;
const MOST_MISTAKES: usize = 300;

/// Largest size of their pictures together, in bytes, and the part of it for mistakes.
const MOST_BYTES: usize = 700_000;
const MOST_MISTAKE_BYTES: usize = 525_000;

/// Largest number of mistakes with a saliency.
const MOST_SALIENT: usize = 12;

/// Largest number of images that are evaluated for them.
pub const MOST_OCCLUDED: usize = MOST_SALIENT * OCCLUDED;

/// Largest number of classes whose curves are stored.
const MOST_CURVES: usize = 40;

/// Largest number of images of a batch.
const BATCH: usize = 24;

/// The training images of the first step.
pub struct FirstBatch<'a> {
    pub augmentation: &'a [Augmentation],
    pub seed: u64,
    pub size: usize,
}

#[derive(Debug, Clone, Copy)]
struct ScoredExample<'a> {
    item: usize,
    label: usize,
    predicted: usize,
    /// Natural logarithm of the probability of each class.
    log_probabilities: &'a [f32],
}

/// Predictions of `classifier` for the part of `data` whose scores are reported, with views of
/// single examples.
pub fn test_predictions(
    classifier: &Classifier,
    data: &Split,
    device: &Device,
    first_batch: &FirstBatch<'_>,
    layers: Vec<LayerSummary>,
) -> Result<TestPredictions, RunError> {
    let (split, examples) = data.reported();
    let (classes, log_probabilities) =
        (data.classes.len(), predict(classifier, split, examples, device)?);
    let rows = log_probabilities.chunks_exact(classes.max(1)).zip(&examples.labels).enumerate();
    let scored = rows.map(|(item, (row, &label))| ScoredExample::new(item, label, row));
    let scored: Vec<_> = scored.collect();
    let (wrong, correct): (Vec<&ScoredExample<'_>>, Vec<_>) =
        scored.iter().partition(|example| example.predicted != example.label);
    let pictures = Pictures { classifier, examples, device };
    Ok(TestPredictions {
        split,
        calibration: calibration(&scored),
        wrong: wrong.iter().map(|example| example.item).collect(),
        curves: (0..classes).map(|class| curves(&scored, class, classes <= MOST_CURVES)).collect(),
        examples: pictures.views(wrong, correct)?,
        batch: first_batch.images(&data.train)?,
        layers,
    })
}

/// Natural logarithms of the probabilities `[examples.len(), classes]`.
fn predict(
    classifier: &Classifier,
    split: SplitKind,
    examples: &Examples,
    device: &Device,
) -> Result<Vec<f32>, RunError> {
    let mut all = Vec::new();
    let task = ProgressTask::start(format!("predicting the {split} set"), examples.len());
    classifier.evaluate(examples, device, |items, logits| {
        all.extend(log_probabilities(classifier, logits).into_iter().flatten());
        task.advance(items.len());
    })?;
    Ok(all)
}

impl<'a> ScoredExample<'a> {
    fn new(item: usize, label: u32, log_probabilities: &'a [f32]) -> Self {
        let predicted = argmax(log_probabilities);
        Self { item, label: label as usize, predicted, log_probabilities }
    }

    fn log_probability(&self, class: usize) -> f32 {
        self.log_probabilities.get(class).copied().unwrap_or(f32::NEG_INFINITY)
    }

    fn confidence(&self) -> f32 {
        self.log_probability(self.predicted).exp()
    }

    /// The five most probable classes, and the true one.
    fn top(&self) -> Vec<(usize, f32)> {
        let mut order: Vec<usize> = (0..self.log_probabilities.len()).collect();
        order.sort_by(|&one, &other| {
            self.log_probability(other).total_cmp(&self.log_probability(one))
        });
        let top = order.iter().enumerate();
        let top = top.filter(|&(rank, &class)| rank < 5 || class == self.label);
        top.map(|(_, &class)| (class, self.log_probability(class).exp())).collect()
    }
}

fn calibration(examples: &[ScoredExample<'_>]) -> CalibrationBins {
    let mut bins = CalibrationBins::default();
    for example in examples {
        bins.add(f64::from(example.confidence()), example.predicted == example.label);
    }
    bins
}

fn curves(examples: &[ScoredExample<'_>], class: usize, with_points: bool) -> ClassCurves {
    let scores = examples.iter().map(|it| (it.log_probability(class), it.label == class));
    Thresholds::new(scores.collect()).curves(with_points)
}

/// The first of each group by `rank`, then the second of each group, and so on.
fn round_robin<T, K: Ord>(
    mut all: Vec<T>,
    group: impl Fn(&T) -> K,
    rank: impl Fn(&T) -> f32,
) -> Vec<T> {
    all.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
    let mut sizes = BTreeMap::new();
    let mut rounds: BTreeMap<usize, Vec<T>> = BTreeMap::new();
    for example in all {
        let size = sizes.entry(group(&example)).or_insert(0);
        rounds.entry(*size).or_default().push(example);
        *size += 1;
    }
    rounds.into_values().flatten().collect()
}

struct Pictures<'a> {
    classifier: &'a Classifier,
    examples: &'a Examples,
    device: &'a Device,
}

impl Pictures<'_> {
    /// Some mistakes, then some correct predictions.
    fn views(
        &self,
        wrong: Vec<&ScoredExample<'_>>,
        correct: Vec<&ScoredExample<'_>>,
    ) -> Result<Vec<ExampleView>, RunError> {
        let wrong =
            round_robin(wrong, |it| (it.label, it.predicted), |example| -example.confidence());
        let correct = round_robin(correct, |it| it.label, |example| example.confidence());
        let (mut views, mut bytes) = (Vec::new(), 0);
        for (scored, most, most_bytes) in
            [(wrong, MOST_MISTAKES, MOST_MISTAKE_BYTES), (correct, MOST_EXAMPLES, MOST_BYTES)]
        {
            for example in scored.into_iter().take(most - views.len()) {
                let view = self.view(example, views.len() < MOST_SALIENT)?;
                bytes += view.picture.as_ref().map_or(0, String::len);
                if bytes > most_bytes {
                    break;
                }
                views.push(view);
            }
        }
        Ok(views)
    }

    fn view(&self, example: &ScoredExample<'_>, is_first: bool) -> Result<ExampleView, RunError> {
        let &ScoredExample { item, label, predicted, .. } = example;
        let mut view = ExampleView {
            item,
            file: self.examples.origins.get(item).map(|origin| origin.file.to_string()),
            label,
            top: example.top(),
            picture: None,
            saliency: None,
        };
        let items = [item];
        let (loaded, indices) = self.examples.in_memory(&items)?;
        if let Values::Pixels(pixels) = loaded.select(&indices).values {
            let (shape, predicted_with) = (self.examples.shape, (predicted, example.confidence()));
            view.picture = Some(picture(&pixels, shape)?);
            if is_first && predicted != label {
                let saliency =
                    saliency(self.classifier, self.device, &pixels, shape, predicted_with)?;
                view.saliency = Some(saliency);
            }
        }
        Ok(view)
    }
}

impl FirstBatch<'_> {
    /// The images as the model sees them.
    fn images(&self, train: &Examples) -> Result<Vec<BatchImage>, RunError> {
        if !train.are_images() {
            return Ok(Vec::new());
        }
        let mut items = shuffled(train.len(), self.seed, 1);
        items.truncate(BATCH.min(self.size));
        // The inputs of the model on the scale of pixels.
        let channels = train.shape[2];
        let identity = Statistics { shift: vec![0.0; channels], scale: vec![1.0; channels] };
        let scaler = identity.scaler();
        let inputs = match Augmenter::new(self.augmentation, train, self.seed)? {
            None => train.inputs(&items, &scaler)?,
            Some(augmenter) => {
                let mut inputs = augmenter.inputs(train, &items, &scaler, 1, false)?;
                let labels = train.labels_at(&items);
                let index = BatchIndex { step: 0, micro_batch: 0 };
                augmenter.mix(&mut inputs, train.shape, &labels, index);
                inputs
            }
        };
        let pixels: Vec<u8> = inputs.iter().map(|&value| value as u8).collect();
        let images = pixels.chunks_exact(train.width()).zip(train.labels_at(&items));
        let image = |(pixels, label)| {
            Ok(BatchImage { picture: picture(pixels, train.shape)?, label: label as usize })
        };
        images.map(image).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_its_turn() {
        let all = vec![('a', 3.0), ('a', 1.0), ('b', 9.0), ('a', 2.0), ('c', 0.5), ('b', 8.0)];
        let order = round_robin(all, |&(group, _)| group, |&(_, rank)| rank);
        let expected = [('c', 0.5), ('a', 1.0), ('b', 8.0), ('a', 2.0), ('b', 9.0), ('a', 3.0)];
        assert_eq!(order, expected);
    }

    #[test]
    fn the_top_classes_contain_the_true_one() {
        let log_probabilities = [0.1_f32, 0.3, 0.05, 0.3, 0.05, 0.15, 0.05].map(f32::ln);
        let top = |label| {
            let top = ScoredExample::new(0, label, &log_probabilities).top();
            top.into_iter().map(|(class, _)| class).collect::<Vec<_>>()
        };
        assert_eq!(top(0), [1, 3, 5, 0, 2]);
        assert_eq!(top(6), [1, 3, 5, 0, 2, 6]);
    }
}
