use std::ops::Range;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_distr::Beta;

use super::Augmentation;

/// How the images of a batch are mixed with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mixing {
    /// All pixels, in one proportion.
    Mixup(Beta<f64>),
    /// All of some pixels.
    Cutmix(Beta<f64>),
}

/// Which batch of a run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The step.
    pub step: u64,
    /// Which batch of the step, where it accumulates several.
    pub part: u64,
}

/// With what the images of a batch were mixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// How much of each image is still itself, from 0 to 1.
    pub share: f64,
    /// The label of what the rest of each image is.
    pub others: Vec<u32>,
}

impl Mixing {
    /// What `list` ends with.
    pub fn of(list: &[Augmentation]) -> Option<Self> {
        match list.last()? {
            Augmentation::Mixup(alpha) => Beta::new(*alpha, *alpha).ok().map(Self::Mixup),
            Augmentation::Cutmix(alpha) => Beta::new(*alpha, *alpha).ok().map(Self::Cutmix),
            _ => None,
        }
    }

    /// Mixes `inputs`, `[labels.len(), height, width, channels]`, by pairs drawn from `rng`. Of an
    /// odd number one image stays as it is.
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
        let patch = Patch::draw(*self, [height, width], rng);
        for pair in batch.chunks_exact_mut(2) {
            let [(one, (of_one, label)), (other, (of_other, its_label))] = pair else { continue };
            patch.mix(one, other, width * channels, channels);
            (**of_one, **of_other) = (**its_label, **label);
        }
        Mix { share: patch.share, others }
    }
}

/// What two images exchange.
struct Patch {
    rows: Range<usize>,
    columns: Range<usize>,
    /// How much of each pixel is kept there.
    kept: f32,
    /// How much of an image is kept.
    share: f64,
}

impl Patch {
    fn draw(mixing: Mixing, [height, width]: [usize; 2], rng: &mut impl Rng) -> Self {
        match mixing {
            Mixing::Mixup(beta) => {
                let share = rng.sample(beta);
                Self { rows: 0..height, columns: 0..width, kept: share as f32, share }
            }
            Mixing::Cutmix(beta) => {
                let side = (1.0 - rng.sample(beta)).sqrt();
                let rows = part(height, side, rng);
                let columns = part(width, side, rng);
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

/// A range of `share` of `size`, its centre anywhere, cut at the ends.
fn part(size: usize, share: f64, rng: &mut impl Rng) -> Range<usize> {
    let half = (size as f64 * share / 2.0) as i64;
    let centre = rng.random_range(0..size.max(1)) as i64;
    let end = |at: i64| at.clamp(0, size as i64) as usize;
    end(centre - half)..end(centre + half)
}
