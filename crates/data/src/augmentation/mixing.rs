use std::ops::Range;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_distr::Beta;

use super::spec::Augmentation;

/// Mixing of the images of a batch with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mixing {
    /// Blends all pixels in one proportion.
    Mixup(Beta<f64>),
    /// Exchanges a box.
    Cutmix(Beta<f64>),
}

/// Identifies a batch of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchIndex {
    /// Step of the run.
    pub step: u64,
    /// Index of the micro-batch in the step, 0 without gradient accumulation.
    pub micro_batch: u64,
}

/// Result of mixing the images of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// Fraction of each image that is still its own, 0 to 1.
    pub share: f64,
    /// Label of the rest of each image.
    pub others: Vec<u32>,
}

impl Mixing {
    /// Returns the mixing at the end of `list`, if any.
    pub fn of(list: &[Augmentation]) -> Option<Self> {
        match list.last()? {
            Augmentation::Mixup(alpha) => Beta::new(*alpha, *alpha).ok().map(Self::Mixup),
            Augmentation::Cutmix(alpha) => Beta::new(*alpha, *alpha).ok().map(Self::Cutmix),
            _ => None,
        }
    }

    /// Mixes `inputs`, shape `[labels.len(), height, width, channels]`, in random pairs. One image of
    /// an odd number is left unchanged.
    pub fn apply(
        &self,
        inputs: &mut [f32],
        [height, width, channels]: [usize; 3],
        labels: &[u32],
        rng: &mut impl Rng,
    ) -> Mix {
        let images = inputs.chunks_exact_mut((height * width * channels).max(1));
        let mut others = labels.to_vec();
        let labelled = others.iter_mut().zip(labels);
        let mut batch: Vec<_> = images.zip(labelled).collect();
        batch.shuffle(rng);
        let patch = Patch::sample(*self, [height, width], rng);
        for pair in batch.chunks_exact_mut(2) {
            let [(one, (of_one, label)), (other, (of_other, its_label))] = pair else { continue };
            patch.mix(one, other, width * channels, channels);
            (**of_one, **of_other) = (**its_label, **label);
        }
        Mix { share: patch.share, others }
    }
}

/// Region and proportion in which two images are mixed.
struct Patch {
    rows: Range<usize>,
    columns: Range<usize>,
    /// Fraction of each pixel that is kept in the region.
    kept: f32,
    /// Fraction of an image that is kept.
    share: f64,
}

impl Patch {
    fn sample(mixing: Mixing, [height, width]: [usize; 2], rng: &mut impl Rng) -> Self {
        match mixing {
            Mixing::Mixup(beta) => {
                let share = rng.sample(beta);
                Self { rows: 0..height, columns: 0..width, kept: share as f32, share }
            }
            Mixing::Cutmix(beta) => {
                let side = (1.0 - rng.sample(beta)).sqrt();
                let rows = random_range(height, side, rng);
                let columns = random_range(width, side, rng);
                let area = (rows.len() * columns.len()) as f64 / (height * width).max(1) as f64;
                Self { rows, columns, kept: 0.0, share: 1.0 - area }
            }
        }
    }

    fn mix(&self, one: &mut [f32], other: &mut [f32], line: usize, channels: usize) {
        let values = self.columns.start * channels..self.columns.end * channels;
        let lines = one.chunks_exact_mut(line.max(1)).zip(other.chunks_exact_mut(line.max(1)));
        for (one, other) in lines.take(self.rows.end).skip(self.rows.start) {
            let (one, other) = (one.get_mut(values.clone()), other.get_mut(values.clone()));
            let (Some(one), Some(other)) = (one, other) else { continue };
            for (one, other) in one.iter_mut().zip(other) {
                let (a, b) = (*one, *other);
                *one = self.kept * a + (1.0 - self.kept) * b;
                *other = self.kept * b + (1.0 - self.kept) * a;
            }
        }
    }
}

/// Returns a range of length `share * size` around a random centre, clipped to `0..size`.
fn random_range(size: usize, share: f64, rng: &mut impl Rng) -> Range<usize> {
    let half = (size as f64 * share / 2.0) as i64;
    let centre = rng.random_range(0..size.max(1)) as i64;
    let end = |at: i64| at.clamp(0, size as i64) as usize;
    end(centre - half)..end(centre + half)
}
