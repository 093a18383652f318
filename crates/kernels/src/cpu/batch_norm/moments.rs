use rayon::prelude::*;

use super::super::{Real, block_sums, real, vectorized, wide};
use super::{BLOCKS, block, fold, tiled};

/// Mean and variance of each channel of rows `[rows, channels]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    pub mean: Vec<f64>,
    /// Divided by the number of rows.
    pub variance: Vec<f64>,
}

impl Moments {
    /// Of rows `[rows, channels]`, which are read once: each piece gives its own moments while it
    /// is in the cache, and these are added (Chan et al. 1979).
    pub fn of<T: Real>(rows: &[T], channels: usize) -> Self {
        let block = block(channels);
        let pieces = rows.par_chunks(block * BLOCKS);
        let pieces = pieces.map(|piece| {
            vectorized(
                #[inline(always)]
                || piece_moments(piece, channels, block),
            )
        });
        let mut total = Self { mean: vec![0.0; channels], variance: vec![0.0; channels] };
        let mut count = 0.0;
        for (size, piece) in pieces.collect::<Vec<_>>() {
            total.add(count, &piece, size);
            count += size;
        }
        total.variance.iter_mut().for_each(|variance| *variance /= count);
        total
    }

    /// Adds the moments of `size` rows to those of `count`, with variances not yet divided.
    fn add(&mut self, count: f64, piece: &Self, size: f64) {
        let (total, share) = (count + size, size / (count + size));
        let pieces = piece.mean.iter().zip(&piece.variance);
        for ((mean, squares), (other, others)) in
            self.mean.iter_mut().zip(&mut self.variance).zip(pieces)
        {
            let difference = other - *mean;
            *mean += difference * share;
            *squares += others + difference * difference * count * size / total;
        }
    }

    /// `1 / sqrt(variance + epsilon)` of each channel.
    pub(super) fn inverse_deviations(&self, epsilon: f64) -> impl Iterator<Item = f64> {
        self.variance.iter().map(move |variance| 1.0 / (variance + epsilon).sqrt())
    }
}

/// The number of rows, and their mean and sum of squared differences from it.
#[inline(always)]
fn piece_moments<T: Real>(piece: &[T], channels: usize, block: usize) -> (f64, Moments) {
    let count = (piece.len() / channels) as f64;
    let sums = block_sums(piece, block);
    let mean: Vec<f64> = fold(&sums, channels).map(|sum| sum / count).collect();
    let means: Vec<T> = tiled(mean.iter().map(|&mean| real(mean)), block);
    let mut squares = vec![T::zero(); block];
    for chunk in piece.chunks(block) {
        for ((sum, &value), &mean) in squares.iter_mut().zip(chunk).zip(&means) {
            *sum = *sum + (value - mean) * (value - mean);
        }
    }
    // The mean is rounded to T, which the squares are about.
    let rounding = mean.iter().zip(&means).map(|(mean, &rounded)| mean - wide(rounded));
    let variance = fold(&squares, channels).zip(rounding);
    let variance = variance.map(|(sum, rounding)| sum - count * rounding * rounding).collect();
    (count, Moments { mean, variance })
}
