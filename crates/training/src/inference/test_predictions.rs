use std::io::Cursor;

use artifacts::{CalibrationBins, ExampleView, LayerSummary, TestPredictions};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use burn::tensor::Device;
use data::{
    Augmentation, Augmenter, BatchIndex, Examples, Split, SplitKind, Statistics, Values, shuffled,
};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use support::ProgressTask;

use super::log_probabilities;
use crate::error::RunError;
use crate::model::{Classifier, argmax};

/// Largest number of mistakes, hard examples and images of a batch.
const MAX_VIEWS: usize = 24;

/// The training images of the first step.
pub struct FirstBatch<'a> {
    /// Augmentation of the images.
    pub augmentation: &'a [Augmentation],
    /// Seed of the run.
    pub seed: u64,
    /// Number of images.
    pub size: usize,
}

/// The prediction for one example.
struct ScoredExample {
    item: usize,
    label: usize,
    predicted: usize,
    probabilities: Vec<f32>,
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
    let scored = predict(classifier, split, examples, device)?;
    let (wrong, correct): (Vec<&ScoredExample>, Vec<&ScoredExample>) =
        scored.iter().partition(|example| example.predicted != example.label);
    Ok(TestPredictions {
        split,
        calibration: calibration(&scored),
        wrong: wrong.iter().map(|example| example.item).collect(),
        mistakes: views(examples, wrong, |example| -example.confidence())?,
        hardest: views(examples, correct, ScoredExample::confidence)?,
        batch: first_batch.images(&data.train)?,
        layers,
    })
}

fn predict(
    classifier: &Classifier,
    split: SplitKind,
    examples: &Examples,
    device: &Device,
) -> Result<Vec<ScoredExample>, RunError> {
    let mut scored = Vec::with_capacity(examples.len());
    let task = ProgressTask::start(format!("predicting the {split} set"), examples.len());
    classifier.evaluate(examples, device, |items, logits| {
        let rows = log_probabilities(classifier, logits);
        for ((&item, label), row) in items.iter().zip(examples.labels_at(items)).zip(rows) {
            let predicted = argmax(&row);
            let probabilities = row.into_iter().map(f32::exp).collect();
            scored.push(ScoredExample { item, label: label as usize, predicted, probabilities });
        }
        task.advance(items.len());
    })?;
    Ok(scored)
}

impl ScoredExample {
    /// Probability of the predicted class.
    fn confidence(&self) -> f32 {
        self.probabilities.get(self.predicted).copied().unwrap_or_default()
    }
}

fn calibration(examples: &[ScoredExample]) -> CalibrationBins {
    let mut bins = CalibrationBins::default();
    for example in examples {
        bins.add(f64::from(example.confidence()), example.predicted == example.label);
    }
    bins
}

/// The first of `scored` by `rank`, with their pictures.
fn views(
    examples: &Examples,
    mut scored: Vec<&ScoredExample>,
    rank: impl Fn(&ScoredExample) -> f32,
) -> Result<Vec<ExampleView>, RunError> {
    scored.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
    let view = |example: &ScoredExample| {
        Ok(ExampleView {
            item: example.item,
            file: examples.origins.get(example.item).map(|origin| origin.file.to_string()),
            label: example.label,
            probabilities: example.probabilities.clone(),
            picture: picture(examples, example.item)?,
        })
    };
    scored.into_iter().take(MAX_VIEWS).map(view).collect()
}

/// An example as a PNG in base64; `None` if it is not an image.
fn picture(examples: &Examples, item: usize) -> Result<Option<String>, RunError> {
    let items = [item];
    let (loaded, indices) = examples.in_memory(&items)?;
    match loaded.select(&indices).values {
        Values::Pixels(pixels) => png(&pixels, examples.shape).map(Some),
        _ => Ok(None),
    }
}

impl FirstBatch<'_> {
    /// The images as the model sees them, each as a PNG in base64.
    fn images(&self, train: &Examples) -> Result<Vec<String>, RunError> {
        if !train.are_images() {
            return Ok(Vec::new());
        }
        let mut items = shuffled(train.len(), self.seed, 1);
        items.truncate(MAX_VIEWS.min(self.size));
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
        pixels.chunks_exact(train.width()).map(|image| png(image, train.shape)).collect()
    }
}

/// Pixels `[height, width, channels]` as a PNG in base64.
fn png(pixels: &[u8], [height, width, channels]: [usize; 3]) -> Result<String, RunError> {
    let colour = match channels {
        1 => ExtendedColorType::L8,
        2 => ExtendedColorType::La8,
        3 => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new(&mut bytes)
        .write_image(pixels, width as u32, height as u32, colour)
        .map_err(|error| RunError::Record(error.to_string()))?;
    Ok(BASE64_STANDARD.encode(bytes.into_inner()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_the_pixels_of_their_examples() {
        for channels in 1..=4 {
            let pixels: Vec<u8> = (0..5 * 3 * channels as u8).map(|value| value * 4).collect();
            let bytes = BASE64_STANDARD.decode(png(&pixels, [5, 3, channels]).unwrap()).unwrap();
            let image = image::load_from_memory(&bytes).unwrap();
            assert_eq!((image.width(), image.height()), (3, 5));
            assert_eq!(image.into_bytes(), pixels);
        }
    }
}
