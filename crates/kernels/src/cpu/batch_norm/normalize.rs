use rayon::prelude::*;

use super::super::{SimdFloat, from_f64, to_f64, vectorized};
use super::moments::Moments;
use super::{BLOCKS_PER_PIECE, block_len, tiled};
use crate::Rectifier;
use crate::buffer_pool::Buffer;

/// Per-channel normalisation with an optional rectifier: `rectifier((x - mean) * scale + bias)`.
#[derive(Debug, Clone)]
pub struct Normalize<T> {
    /// Subtracted first.
    pub mean: Vec<T>,
    /// Multiplied second.
    pub scale: Vec<T>,
    /// Added third.
    pub bias: Vec<T>,
    /// Smallest and largest output.
    pub range: [T; 2],
}

impl<T: SimdFloat> Normalize<T> {
    /// Folds `(x - mean) / sqrt(variance + epsilon) * gamma + beta` into one scale per channel.
    pub fn new(
        moments: &Moments,
        (gamma, beta): (&[T], &[T]),
        epsilon: f64,
        rectifier: Option<Rectifier>,
    ) -> Self {
        let scales = gamma.iter().zip(moments.inverse_deviations(epsilon));
        Self {
            mean: moments.mean.iter().map(|&mean| from_f64(mean)).collect(),
            scale: scales.map(|(&gamma, inverse)| from_f64(to_f64(gamma) * inverse)).collect(),
            bias: beta.to_vec(),
            range: rectifier
                .map_or([T::neg_infinity(), T::infinity()], |it| it.range().map(from_f64)),
        }
    }

    /// Normalises `input` and adds `residual` before the rectifier, both `[rows, channels]`.
    pub fn apply(&self, input: &[T], residual: Option<&[T]>) -> Buffer<T> {
        let mut output = Buffer::new(input.len());
        let block = block_len(self.mean.len());
        let tiled = self.tiled(block);
        let piece = block * BLOCKS_PER_PIECE;
        let pieces = output.par_chunks_mut(piece).zip(input.par_chunks(piece));
        match residual {
            None => pieces.for_each(|(output, input)| {
                vectorized(
                    #[inline(always)]
                    || tiled.apply_to(input, output),
                )
            }),
            Some(residual) => {
                pieces.zip(residual.par_chunks(piece)).for_each(|((output, input), residual)| {
                    vectorized(
                        #[inline(always)]
                        || tiled.apply_and_add(input, residual, output),
                    );
                })
            }
        }
        output
    }

    /// Repeats the coefficients to the length of a block.
    pub(super) fn tiled(&self, block: usize) -> Self {
        let of = |values: &[T]| tiled(values.iter().copied(), block);
        let range = self.range;
        Self { mean: of(&self.mean), scale: of(&self.scale), bias: of(&self.bias), range }
    }

    /// Normalises some rows; the coefficients must be [`Normalize::tiled`].
    #[inline(always)]
    pub(super) fn apply_to(&self, input: &[T], output: &mut [T]) {
        let (block, range) = (self.mean.len(), self.range);
        for (output, input) in output.chunks_mut(block).zip(input.chunks(block)) {
            for (((output, &x), &mean), (&scale, &bias)) in
                output.iter_mut().zip(input).zip(&self.mean).zip(self.scale.iter().zip(&self.bias))
            {
                *output = clamped((x - mean) * scale + bias, range);
            }
        }
    }

    #[inline(always)]
    fn apply_and_add(&self, input: &[T], residual: &[T], output: &mut [T]) {
        let (block, range) = (self.mean.len(), self.range);
        let inputs = input.chunks(block).zip(residual.chunks(block));
        for (output, (input, residual)) in output.chunks_mut(block).zip(inputs) {
            for ((((output, &x), &added), &mean), (&scale, &bias)) in output
                .iter_mut()
                .zip(input)
                .zip(residual)
                .zip(&self.mean)
                .zip(self.scale.iter().zip(&self.bias))
            {
                *output = clamped((x - mean) * scale + bias + added, range);
            }
        }
    }
}

/// Limits `value` to a range. NaN stays NaN.
#[inline(always)]
fn clamped<T: SimdFloat>(value: T, [least, most]: [T; 2]) -> T {
    let value = if value < least { least } else { value };
    if value > most { most } else { value }
}
