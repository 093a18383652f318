use rayon::prelude::*;

use super::super::{SimdFloat, from_f64, sum_blocks, to_f64, vectorized};
use super::{BLOCKS_PER_PIECE, block_len, fold_channels, tiled};

/// Mean and variance of each channel of rows `[rows, channels]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    pub mean: Vec<f64>,
    /// Biased variance: divided by the number of rows.
    pub variance: Vec<f64>,
}

impl Moments {
    /// Computes the moments in one pass: pieces that fit in the cache are reduced separately and
    /// then merged with the parallel algorithm of Chan et al. (1979).
    pub fn compute<T: SimdFloat>(rows: &[T], channels: usize) -> Self {
        let block = block_len(channels);
        let pieces = rows.par_chunks(block * BLOCKS_PER_PIECE);
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

    /// Merges the moments of `size` rows into those of `count` rows. Variances are sums of squares
    /// here.
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

    /// Returns `1 / sqrt(variance + epsilon)` of each channel.
    pub(super) fn inverse_deviations(&self, epsilon: f64) -> impl Iterator<Item = f64> {
        self.variance.iter().map(move |variance| 1.0 / (variance + epsilon).sqrt())
    }
}

/// Returns the number of rows, their mean and their sum of squared deviations.
#[inline(always)]
fn piece_moments<T: SimdFloat>(piece: &[T], channels: usize, block: usize) -> (f64, Moments) {
    let count = (piece.len() / channels) as f64;
    let sums = sum_blocks(piece, block);
    let mean: Vec<f64> = fold_channels(&sums, channels).map(|sum| sum / count).collect();
    let means: Vec<T> = tiled(mean.iter().map(|&mean| from_f64(mean)), block);
    let mut squares = vec![T::zero(); block];
    for chunk in piece.chunks(block) {
        for ((sum, &value), &mean) in squares.iter_mut().zip(chunk).zip(&means) {
            *sum = *sum + (value - mean) * (value - mean);
        }
    }
    // Corrects the sums of squares for the rounding of the mean to `T`.
    let rounding = mean.iter().zip(&means).map(|(mean, &rounded)| mean - to_f64(rounded));
    let variance = fold_channels(&squares, channels).zip(rounding);
    let variance = variance.map(|(sum, rounding)| sum - count * rounding * rounding).collect();
    (count, Moments { mean, variance })
}
