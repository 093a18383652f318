use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_distr::Beta;
use rayon::prelude::*;

use super::canvas::{Canvas, Pixel, padded};
use super::geometry::Region;
use super::operation::Operation;
use super::spec::Augmentation;
use crate::error::DatasetError;
use crate::examples::{Examples, Values};
use crate::random::{self, BatchIndex};
use crate::statistics::{Normalization, Scaler};

/// Inputs of an image, its index among all examples and its position among those in memory.
type Row<'a> = (&'a mut [f32], (&'a usize, &'a usize));

/// Result of mixing the images of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// Fraction of each image that is still its own, 0 to 1.
    pub share: f64,
    /// Label of the rest of each image.
    pub others: Vec<u32>,
}

/// A list of [`Augmentation`]s, prepared for one training set.
#[derive(Debug)]
pub struct Augmenter {
    seed: u64,
    /// Changes; consecutive changes of colours are together.
    stages: Vec<Vec<Augmentation>>,
    /// Mean of each channel.
    mean: Pixel,
}

impl Augmenter {
    /// Prepares `list` for the training set `train` of the run with `seed`; `None` for an empty list. Fails
    /// if the source of `train` cannot be read or has changed.
    pub fn new(
        list: &[Augmentation],
        train: &Examples,
        seed: u64,
    ) -> Result<Option<Self>, DatasetError> {
        let cuts = |one| matches!(one, &Augmentation::Cutout(_) | &Augmentation::RandomErasing(_));
        let mean = match list.iter().any(cuts) {
            true => padded(Normalization::Standardize.fit(train)?.shift),
            false => [0.0; 4],
        };
        let stages = list.chunk_by(|one, next| one.is_colour() && next.is_colour());
        let stages = stages.map(<[_]>::to_vec).collect();
        Ok((!list.is_empty()).then_some(Self { seed, stages, mean }))
    }

    /// Returns the augmented inputs of the training `examples` at `items` in `epoch`, shape
    /// `[items.len(), width]`. Each is a function of the seed, the epoch and the item. The images are
    /// distributed over all threads if `parallel`. Features are not augmented. Fails if the source cannot
    /// be read or has changed, and panics if an index is out of range.
    pub fn inputs(
        &self,
        examples: &Examples,
        items: &[usize],
        scaler: &Scaler,
        epoch: u64,
        parallel: bool,
    ) -> Result<Vec<f32>, DatasetError> {
        let (examples, positions) = examples.in_memory(items)?;
        let Values::Pixels(pixels) = &examples.values else {
            return examples.inputs(&positions, scaler);
        };
        let width = examples.width();
        let change = |canvas: &mut Canvas, (inputs, (&item, &position)): Row| {
            canvas.load(examples.row(pixels, position), examples.shape);
            let mut rng = random::of_image(self.seed, epoch, item);
            self.stages.iter().for_each(|stage| self.apply(stage, canvas, &mut rng));
            canvas.store(scaler, inputs);
        };
        let mut inputs = vec![0.0; items.len() * width];
        if parallel {
            let items = items.par_iter().zip(&*positions);
            let rows = inputs.par_chunks_exact_mut(width).zip(items);
            rows.for_each_init(Canvas::default, change);
        } else {
            let mut canvas = Canvas::default();
            let rows = inputs.chunks_exact_mut(width).zip(items.iter().zip(&*positions));
            rows.for_each(|row| change(&mut canvas, row));
        }
        Ok(inputs)
    }

    /// Mixes the `inputs` of a batch of images of `shape` with each other and returns the labels they
    /// were mixed with; `None` without mixup or cutmix.
    pub fn mix(
        &self,
        inputs: &mut [f32],
        shape: [usize; 3],
        labels: &[u32],
        batch: BatchIndex,
    ) -> Option<Mix> {
        let last = self.stages.last()?.last()?;
        last.mix(inputs, shape, labels, &mut random::of_batch(self.seed, batch))
    }

    /// Samples the parameters of the changes of one stage and applies them to `canvas`. Cut parts have the
    /// mean colour.
    fn apply(&self, stage: &[Augmentation], canvas: &mut Canvas, rng: &mut impl Rng) {
        let cut = match stage.first() {
            Some(first) if first.is_colour() => return canvas.tint(stage, rng),
            Some(Augmentation::TrivialAugment) => {
                return Operation::sample(canvas.size, rng).apply(canvas);
            }
            Some(Augmentation::Cutout(side)) => {
                Some(Region::around_random_point([*side; 2], canvas.size, rng))
            }
            Some(Augmentation::RandomErasing(erasing)) => erasing.region(canvas.size, rng),
            other => {
                // `None` for mixing, which changes whole batches.
                let map = other.and_then(|change| change.map(canvas.size, rng));
                return map.into_iter().for_each(|map| canvas.transform(map));
            }
        };
        if let Some(region) = cut {
            canvas.fill(&region, self.mean);
        }
    }
}

impl Augmentation {
    /// Mixes `inputs`, shape `[labels.len(), height, width, channels]`, in random pairs. One image of
    /// an odd number is left unchanged. `None` if this is neither mixup nor cutmix.
    fn mix(
        self,
        inputs: &mut [f32],
        [height, width, channels]: [usize; 3],
        labels: &[u32],
        rng: &mut impl Rng,
    ) -> Option<Mix> {
        let (Self::Mixup(alpha) | Self::Cutmix(alpha)) = self else { return None };
        let beta = Beta::new(alpha, alpha).ok()?;
        let images = inputs.chunks_exact_mut((height * width * channels).max(1));
        let mut others = labels.to_vec();
        let labelled = others.iter_mut().zip(labels);
        let mut batch: Vec<_> = images.zip(labelled).collect();
        batch.shuffle(rng);
        let share = rng.sample(beta);
        // Region that is mixed, fraction of its pixels that is kept, and fraction of the image.
        let (region, kept, share) = match self {
            Self::Mixup(_) => (Region { rows: 0..height, columns: 0..width }, share as f32, share),
            _ => {
                let half = |side: usize| (side as f64 * (1.0 - share).sqrt() / 2.0) as usize;
                let sides = [2 * half(height), 2 * half(width)];
                let region = Region::around_random_point(sides, [height, width], rng);
                let area = (region.rows.len() * region.columns.len()) as f64;
                (region, 0.0, 1.0 - area / (height * width).max(1) as f64)
            }
        };
        for pair in batch.chunks_exact_mut(2) {
            let [(one, (of_one, label)), (other, (of_other, its_label))] = pair else { continue };
            blend(one, other, &region, (width, channels), kept);
            (**of_one, **of_other) = (**its_label, **label);
        }
        Some(Mix { share, others })
    }
}

/// Blends a region of two images of a width and a number of channels, which keep a fraction of their pixels.
fn blend(
    one: &mut [f32],
    other: &mut [f32],
    region: &Region,
    (width, channels): (usize, usize),
    kept: f32,
) {
    let line = (width * channels).max(1);
    let values = region.columns.start * channels..region.columns.end * channels;
    let lines = one.chunks_exact_mut(line).zip(other.chunks_exact_mut(line));
    for (one, other) in lines.take(region.rows.end).skip(region.rows.start) {
        let (one, other) = (one.get_mut(values.clone()), other.get_mut(values.clone()));
        let (Some(one), Some(other)) = (one, other) else { continue };
        for (one, other) in one.iter_mut().zip(other) {
            let (a, b) = (*one, *other);
            *one = kept * a + (1.0 - kept) * b;
            *other = kept * b + (1.0 - kept) * a;
        }
    }
}
