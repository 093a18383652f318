//! What a report shows of a model beside its scores.

use std::io::Cursor;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dataset::{Augmenter, Examples, Moment, Split, Statistics, Values, Work, shuffled};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use models::Layer;
use serde::Serialize;

use crate::error::RunError;
use crate::evaluation::log_probabilities_of;
use crate::model_summary::ModelSummary;
use crate::run_dir::write_json;
use crate::scores::largest;
use crate::session::EVALUATION_BATCH;
use crate::trained::Trained;

/// What the model of a run says of single examples of the test set: `findings.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// The examples by the probability of the class that they are taken for, in stretches of equal
    /// length from 0 to 1.
    pub calibration: Vec<Bin>,
    /// All that are taken for another class than theirs.
    pub wrong: Vec<usize>,
    /// Some of these, the most confident first.
    pub mistakes: Vec<Shown>,
    /// Some that are right, the least confident first.
    pub hardest: Vec<Shown>,
    /// Some training images as the model sees them in the first epoch: PNG in base64.
    pub batch: Vec<String>,
    /// The layers of the model.
    pub layers: Vec<Layer>,
}

/// The examples whose class was predicted with a probability of one stretch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bin {
    /// How many there are.
    pub count: usize,
    /// The mean of these probabilities; 0 if there is none.
    pub confidence: f64,
    /// The share that is right; 0 if there is none.
    pub accuracy: f64,
}

/// An example with what the model says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Which one of the test set, from 0.
    pub item: usize,
    /// Its class.
    pub label: usize,
    /// The probability of each class.
    pub probabilities: Vec<f32>,
    /// A PNG in base64; features have none.
    pub picture: Option<String>,
}

/// An answer of the model.
struct Answer {
    item: usize,
    label: usize,
    taken: usize,
    probabilities: Vec<f32>,
}

/// The stretches of the calibration.
const BINS: usize = 10;
/// The most mistakes, hard examples and images of a batch.
const MOST: usize = 24;

impl Findings {
    /// Asks a model of `data`, those of its run, and keeps the answers in the run directory.
    pub fn of(trained: &Trained, data: &Split) -> Result<Self, RunError> {
        let answers = answers(trained, &data.test)?;
        let (wrong, right): (Vec<&Answer>, Vec<&Answer>) =
            answers.iter().partition(|answer| answer.taken != answer.label);
        let findings = Self {
            calibration: calibration(&answers),
            wrong: wrong.iter().map(|answer| answer.item).collect(),
            mistakes: shown(&data.test, wrong, |answer| -answer.confidence())?,
            hardest: shown(&data.test, right, Answer::confidence)?,
            batch: batch(trained, data)?,
            layers: layers(trained)?,
        };
        write_json(&trained.run().findings(), &findings)?;
        Ok(findings)
    }
}

impl Answer {
    /// The probability of the class that it is taken for.
    fn confidence(&self) -> f32 {
        self.probabilities.get(self.taken).copied().unwrap_or_default()
    }
}

fn answers(trained: &Trained, examples: &Examples) -> Result<Vec<Answer>, RunError> {
    let order: Vec<usize> = (0..examples.len()).collect();
    let mut answers = Vec::with_capacity(order.len());
    let work = Work::begin("asking the model", order.len());
    for items in order.chunks(EVALUATION_BATCH) {
        let rows = log_probabilities_of(trained.classifier(), examples, items, trained.device())?;
        for ((&item, label), row) in items.iter().zip(examples.labels_at(items)).zip(rows) {
            let taken = largest(&row);
            let probabilities = row.into_iter().map(f32::exp).collect();
            answers.push(Answer { item, label: label as usize, taken, probabilities });
        }
        work.advance(items.len());
    }
    Ok(answers)
}

fn calibration(answers: &[Answer]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for answer in answers {
        let confidence = f64::from(answer.confidence());
        let index = ((confidence * BINS as f64) as usize).min(BINS - 1);
        if let Some(bin) = bins.get_mut(index) {
            bin.count += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(answer.taken == answer.label));
        }
    }
    for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
        bin.confidence /= bin.count as f64;
        bin.accuracy /= bin.count as f64;
    }
    bins
}

/// The first of `answers` by `rank`, with their pictures.
fn shown(
    examples: &Examples,
    mut answers: Vec<&Answer>,
    rank: impl Fn(&Answer) -> f32,
) -> Result<Vec<Shown>, RunError> {
    answers.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
    let show = |answer: &Answer| {
        Ok(Shown {
            item: answer.item,
            label: answer.label,
            probabilities: answer.probabilities.clone(),
            picture: pixels(examples, answer.item)?.map(|p| png(&p, examples.shape)).transpose()?,
        })
    };
    answers.into_iter().take(MOST).map(show).collect()
}

/// The pixels of an example, if it is an image.
fn pixels(examples: &Examples, item: usize) -> Result<Option<Vec<u8>>, RunError> {
    let items = [item];
    let (read, places) = examples.in_memory(&items)?;
    Ok(match read.select(&places).values {
        Values::Pixels(pixels) => Some(pixels),
        _ => None,
    })
}

fn layers(trained: &Trained) -> Result<Vec<Layer>, RunError> {
    let data = trained.data();
    Ok(ModelSummary::new(trained.config(), data.shape, data.classes.len())?.layers)
}

/// Training images as the first epoch begins with them.
fn batch(trained: &Trained, data: &Split) -> Result<Vec<String>, RunError> {
    let train = &data.train;
    if !train.are_images() {
        return Ok(Vec::new());
    }
    let config = trained.config();
    let mut items = shuffled(train.len(), config.seed, 1);
    items.truncate(MOST.min(config.training.batch_size(train.len())));
    // The inputs of the model, but on the scale of pixels.
    let channels = train.shape[2];
    let scaler = Statistics { shift: vec![0.0; channels], scale: vec![1.0; channels] }.scaler();
    let inputs = match Augmenter::new(&config.augmentation, train, config.seed)? {
        None => train.inputs(&items, &scaler)?,
        Some(augmenter) => {
            let mut inputs = augmenter.inputs(train, &items, &scaler, 1, false)?;
            let labels = train.labels_at(&items);
            augmenter.mix(&mut inputs, train.shape, &labels, Moment { step: 0, part: 0 });
            inputs
        }
    };
    let images = inputs.chunks_exact(train.width());
    images
        .map(|image| png(&image.iter().map(|&value| value as u8).collect::<Vec<_>>(), train.shape))
        .collect()
}

/// Pixels `[height, width, channels]` as PNG in base64.
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

    fn answer(label: usize, probabilities: [f32; 2]) -> Answer {
        let taken = largest(&probabilities);
        Answer { item: 0, label, taken, probabilities: probabilities.to_vec() }
    }

    #[test]
    fn each_answer_counts_in_the_stretch_of_its_confidence() {
        let answers = [answer(0, [0.95, 0.05]), answer(1, [1.0, 0.0]), answer(1, [0.45, 0.55])];
        let bins = calibration(&answers);
        assert_eq!(
            bins.iter().map(|bin| bin.count).collect::<Vec<_>>(),
            [0, 0, 0, 0, 0, 1, 0, 0, 0, 2]
        );
        assert!((bins[9].confidence - 0.975).abs() < 1e-6);
        assert_eq!((bins[9].accuracy, bins[5].accuracy), (0.5, 1.0));
    }

    #[test]
    fn pictures_are_the_pixels() {
        for channels in 1..=4 {
            let pixels: Vec<u8> = (0..5 * 3 * channels as u8).map(|value| value * 4).collect();
            let bytes = BASE64_STANDARD.decode(png(&pixels, [5, 3, channels]).unwrap()).unwrap();
            let image = image::load_from_memory(&bytes).unwrap();
            assert_eq!((image.width(), image.height()), (3, 5));
            assert_eq!(image.into_bytes(), pixels);
        }
    }
}
