use rayon::prelude::*;

use super::{Real, block_sums, real, vectorized, wide};
use crate::memory::Memory;

/// Mean and variance of each channel of rows `[rows, channels]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    pub mean: Vec<f64>,
    /// Divided by the number of rows.
    pub variance: Vec<f64>,
}

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

/// The gradients of a batch norm.
pub struct Backward<T> {
    pub input: Memory<T>,
    /// Where there was a residual.
    pub residual: Option<Memory<T>>,
    pub gamma: Vec<f64>,
    pub beta: Vec<f64>,
}

/// What the backward pass needs to know of the forward one.
pub struct Forward<'a, T> {
    /// `[rows, channels]`
    pub input: &'a [T],
    /// The output, if there was a ReLU.
    pub rectified: Option<&'a [T]>,
    pub has_residual: bool,
    pub gamma: &'a [T],
    pub moments: &'a Moments,
    pub epsilon: f64,
}

/// A piece of rows is some blocks of this many numbers, or of one row if that is longer: every
/// loop is over a whole block, however few channels there are.
const BLOCK: usize = 1024;
const BLOCKS: usize = 8;

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
    fn inverse_deviations(&self, epsilon: f64) -> impl Iterator<Item = f64> {
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

/// The sum of each channel, of the sums of a block.
fn fold<T: Real>(sums: &[T], channels: usize) -> impl Iterator<Item = f64> {
    (0..channels)
        .map(move |channel| sums.iter().skip(channel).step_by(channels).map(|&sum| wide(sum)).sum())
}

/// The length of a block: a multiple of `channels`.
fn block(channels: usize) -> usize {
    channels * (BLOCK / channels).max(1)
}

/// Values of the channels, repeated to the length of a block.
fn tiled<T: Real>(values: impl Iterator<Item = T>, block: usize) -> Vec<T> {
    let values: Vec<T> = values.collect();
    values.iter().copied().cycle().take(block).collect()
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

    fn tiled(&self, block: usize) -> Self {
        let of = |values: &[T]| tiled(values.iter().copied(), block);
        Self {
            shift: of(&self.shift),
            scale: of(&self.scale),
            offset: of(&self.offset),
            relu: self.relu,
        }
    }

    #[inline(always)]
    fn map(&self, input: &[T], output: &mut [T]) {
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

impl<T: Real> Forward<'_, T> {
    /// The gradients that follow from `gradient`, that of the output, `[rows, channels]`.
    pub fn backward(&self, gradient: &[T]) -> Backward<T> {
        let channels = self.gamma.len();
        let block = block(channels);
        let rectified = self.rectified.unwrap_or(gradient);
        let shift = tiled(self.moments.mean.iter().map(|&mean| real(mean)), block);
        let [sums, products] = self.sums(gradient, rectified, &shift);

        // gamma inverse (dz - sum / count - (x - mean) inverse^2 product / count)
        let count = (self.input.len() / channels) as f64;
        let inverse: Vec<f64> = self.moments.inverse_deviations(self.epsilon).collect();
        let scale = self.gamma.iter().zip(&inverse).map(|(&gamma, inverse)| wide(gamma) * inverse);
        let scale: Vec<f64> = scale.collect();
        let slope = scale.iter().zip(&inverse).zip(&products);
        let slope = slope.map(|((scale, inverse), product)| scale * inverse * inverse * product);
        let of_input = InputGradient {
            scale: tiled(scale.iter().map(|&scale| real(scale)), block),
            slope: tiled(slope.map(|slope| real(-slope / count)), block),
            offset: tiled(scale.iter().zip(&sums).map(|(a, sum)| real(-a * sum / count)), block),
            shift,
            relu: self.rectified.is_some(),
        };
        let (input, residual) = of_input.of(self, gradient, rectified);
        Backward {
            input,
            residual,
            gamma: products.iter().zip(&inverse).map(|(sum, inverse)| sum * inverse).collect(),
            beta: sums,
        }
    }

    /// The sums over all rows of the gradient before the ReLU, and of its product with the
    /// centred input, `[channels]` each.
    fn sums(&self, gradient: &[T], rectified: &[T], shift: &[T]) -> [Vec<f64>; 2] {
        let (channels, block) = (self.gamma.len(), shift.len());
        let piece = block * BLOCKS;
        let inputs = self.input.par_chunks(piece).zip(rectified.par_chunks(piece));
        let pieces = gradient.par_chunks(piece).zip(inputs);
        let relu = self.rectified.is_some();
        let sums = pieces.map(|(gradient, (input, rectified))| {
            let sums = vectorized(
                #[inline(always)]
                || piece_sums(gradient, input, rectified, shift, relu),
            );
            sums.map(|sums| fold(&sums, channels).collect::<Vec<_>>())
        });
        let mut total = [vec![0.0; channels], vec![0.0; channels]];
        for piece in sums.collect::<Vec<_>>() {
            for (total, sums) in total.iter_mut().zip(piece) {
                total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
        }
        total
    }
}

#[inline(always)]
fn piece_sums<T: Real>(
    gradient: &[T],
    input: &[T],
    rectified: &[T],
    shift: &[T],
    relu: bool,
) -> [Vec<T>; 2] {
    let block = shift.len();
    let [mut sums, mut products] = [(); 2].map(|()| vec![T::zero(); block]);
    let inputs = input.chunks(block).zip(rectified.chunks(block));
    for (gradient, (input, rectified)) in gradient.chunks(block).zip(inputs) {
        for (((&dy, &x), (&y, &shift)), (sum, product)) in gradient
            .iter()
            .zip(input)
            .zip(rectified.iter().zip(shift))
            .zip(sums.iter_mut().zip(&mut products))
        {
            let dz = passed(dy, y, relu);
            *sum = *sum + dz;
            *product = *product + dz * (x - shift);
        }
    }
    [sums, products]
}

/// What of a gradient a ReLU with the output `y` lets through.
#[inline(always)]
fn passed<T: Real>(gradient: T, y: T, relu: bool) -> T {
    if !relu | (y > T::zero()) { gradient } else { T::zero() }
}

/// The gradient of the input, `scale dz + slope (x - shift) + offset` in each channel.
struct InputGradient<T> {
    scale: Vec<T>,
    slope: Vec<T>,
    offset: Vec<T>,
    shift: Vec<T>,
    relu: bool,
}

impl<T: Real> InputGradient<T> {
    /// With that of the residual, if there is one.
    fn of(
        &self,
        forward: &Forward<T>,
        gradient: &[T],
        rectified: &[T],
    ) -> (Memory<T>, Option<Memory<T>>) {
        let piece = self.shift.len() * BLOCKS;
        let inputs = forward.input.par_chunks(piece).zip(rectified.par_chunks(piece));
        let pieces = gradient.par_chunks(piece).zip(inputs);
        let mut of_input = Memory::new(gradient.len());
        let mut of_residual = Memory::new(if forward.has_residual { gradient.len() } else { 0 });
        let outputs = of_input.par_chunks_mut(piece);
        if forward.has_residual {
            let outputs = outputs.zip(of_residual.par_chunks_mut(piece));
            pieces.zip(outputs).for_each(|((dy, (x, y)), (dx, dz))| {
                vectorized(
                    #[inline(always)]
                    || self.pieces(dy, x, y, dx),
                );
                vectorized(
                    #[inline(always)]
                    || pass(dy, y, self.relu, dz),
                );
            });
        } else {
            pieces.zip(outputs).for_each(|((dy, (x, y)), dx)| {
                vectorized(
                    #[inline(always)]
                    || self.pieces(dy, x, y, dx),
                );
            });
        }
        (of_input, forward.has_residual.then_some(of_residual))
    }

    #[inline(always)]
    fn pieces(&self, gradient: &[T], input: &[T], rectified: &[T], output: &mut [T]) {
        let (block, relu) = (self.shift.len(), self.relu);
        let inputs = input.chunks(block).zip(rectified.chunks(block));
        let chunks = gradient.chunks(block).zip(inputs).zip(output.chunks_mut(block));
        for ((gradient, (input, rectified)), output) in chunks {
            for ((((&dy, &x), (&y, dx)), (&scale, &slope)), (&offset, &shift)) in gradient
                .iter()
                .zip(input)
                .zip(rectified.iter().zip(output))
                .zip(self.scale.iter().zip(&self.slope))
                .zip(self.offset.iter().zip(&self.shift))
            {
                *dx = passed(dy, y, relu) * scale + (x - shift) * slope + offset;
            }
        }
    }
}

#[inline(always)]
fn pass<T: Real>(gradient: &[T], rectified: &[T], relu: bool, output: &mut [T]) {
    for ((&dy, &y), dz) in gradient.iter().zip(rectified).zip(output) {
        *dz = passed(dy, y, relu);
    }
}
