use rayon::prelude::*;

use super::super::{Real, real, vectorized, wide};
use super::moments::Moments;
use super::{BLOCKS, block, tiled};
use crate::memory::Memory;

/// The affine map of each channel, with the ReLU behind it.
#[derive(Debug, Clone)]
pub struct Affine<T> {
    /// What is subtracted first.
    pub shift: Vec<T>,
    /// What is then multiplied.
    pub scale: Vec<T>,
    /// What is then added.
    pub offset: Vec<T>,
    /// Whether negative results become 0.
    pub relu: bool,
}

impl<T: Real> Affine<T> {
    /// `(x - mean) / sqrt(variance + epsilon) * gamma + beta`
    pub fn normalizing(
        moments: &Moments,
        (gamma, beta): (&[T], &[T]),
        epsilon: f64,
        relu: bool,
    ) -> Self {
        let scales = gamma.iter().zip(moments.inverse_deviations(epsilon));
        Self {
            shift: moments.mean.iter().map(|&mean| real(mean)).collect(),
            scale: scales.map(|(&gamma, inverse)| real(wide(gamma) * inverse)).collect(),
            offset: beta.to_vec(),
            relu,
        }
    }

    /// Maps `input` and adds `residual`, both `[rows, channels]`.
    pub fn apply(&self, input: &[T], residual: Option<&[T]>) -> Memory<T> {
        let mut output = Memory::new(input.len());
        let block = block(self.shift.len());
        let tiled = self.tiled(block);
        let piece = block * BLOCKS;
        let pieces = output.par_chunks_mut(piece).zip(input.par_chunks(piece));
        match residual {
            None => pieces.for_each(|(output, input)| {
                vectorized(
                    #[inline(always)]
                    || tiled.map(input, output),
                )
            }),
            Some(residual) => {
                pieces.zip(residual.par_chunks(piece)).for_each(|((output, input), residual)| {
                    vectorized(
                        #[inline(always)]
                        || tiled.map_and_add(input, residual, output),
                    );
                })
            }
        }
        output
    }

    /// With each value repeated to the length of a block.
    pub(super) fn tiled(&self, block: usize) -> Self {
        let of = |values: &[T]| tiled(values.iter().copied(), block);
        Self {
            shift: of(&self.shift),
            scale: of(&self.scale),
            offset: of(&self.offset),
            relu: self.relu,
        }
    }

    /// What [`Affine::tiled`] gave maps some rows.
    #[inline(always)]
    pub(super) fn map(&self, input: &[T], output: &mut [T]) {
        let (block, relu) = (self.shift.len(), self.relu);
        for (output, input) in output.chunks_mut(block).zip(input.chunks(block)) {
            for (((output, &x), &shift), (&scale, &offset)) in output
                .iter_mut()
                .zip(input)
                .zip(&self.shift)
                .zip(self.scale.iter().zip(&self.offset))
            {
                *output = rectified((x - shift) * scale + offset, relu);
            }
        }
    }

    #[inline(always)]
    fn map_and_add(&self, input: &[T], residual: &[T], output: &mut [T]) {
        let (block, relu) = (self.shift.len(), self.relu);
        let inputs = input.chunks(block).zip(residual.chunks(block));
        for (output, (input, residual)) in output.chunks_mut(block).zip(inputs) {
            for ((((output, &x), &added), &shift), (&scale, &offset)) in output
                .iter_mut()
                .zip(input)
                .zip(residual)
                .zip(&self.shift)
                .zip(self.scale.iter().zip(&self.offset))
            {
                *output = rectified((x - shift) * scale + offset + added, relu);
            }
        }
    }
}

/// NaN stays NaN.
#[inline(always)]
fn rectified<T: Real>(value: T, relu: bool) -> T {
    if relu & (value < T::zero()) { T::zero() } else { value }
}
