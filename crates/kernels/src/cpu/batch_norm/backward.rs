use rayon::prelude::*;

use super::super::{Real, real, vectorized, wide};
use super::moments::Moments;
use super::{BLOCKS, block, fold, tiled};
use crate::memory::Memory;

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

/// For each channel, the sums over all rows of the gradient before the ReLU, and of its product
/// with the centred input.
pub(super) struct Sums {
    gradient: Vec<f64>,
    product: Vec<f64>,
}

/// The gradient of the input, `scale dz + slope (x - mean) + offset` in each channel, with values
/// repeated to the length of a block.
pub(super) struct InputGradient<T> {
    scale: Vec<T>,
    slope: Vec<T>,
    offset: Vec<T>,
    mean: Vec<T>,
}

impl<T: Real> Forward<'_, T> {
    /// The gradients that follow from `gradient`, that of the output, `[rows, channels]`.
    pub fn backward(&self, gradient: &[T]) -> Backward<T> {
        let rectified = self.rectified.unwrap_or(gradient);
        let sums = self.sums(gradient, rectified);
        let (input, residual) = self.of_rows(&self.input_gradient(&sums), gradient, rectified);
        self.collect(input, residual, sums)
    }

    /// All gradients.
    pub(super) fn collect(
        &self,
        input: Memory<T>,
        residual: Option<Memory<T>>,
        sums: Sums,
    ) -> Backward<T> {
        let inverse = self.moments.inverse_deviations(self.epsilon);
        let gamma = sums.product.iter().zip(inverse).map(|(sum, inverse)| sum * inverse).collect();
        Backward { input, residual, gamma, beta: sums.gradient }
    }

    /// The means, repeated to the length of a block.
    pub(super) fn means(&self) -> Vec<T> {
        tiled(self.moments.mean.iter().map(|&mean| real(mean)), block(self.gamma.len()))
    }

    fn sums(&self, gradient: &[T], rectified: &[T]) -> Sums {
        let means = self.means();
        let piece = means.len() * BLOCKS;
        let inputs = self.input.par_chunks(piece).zip(rectified.par_chunks(piece));
        let pieces = gradient.par_chunks(piece).zip(inputs);
        let relu = self.rectified.is_some();
        let sums = pieces.map(|(gradient, (input, rectified))| {
            let mut sums = block_of_sums(&means);
            vectorized(
                #[inline(always)]
                || add_sums(gradient, input, (rectified, relu), &means, &mut sums),
            );
            sums
        });
        Sums::of(sums, self.gamma.len())
    }

    /// gamma inverse (dz - sum / count - (x - mean) inverse^2 product / count)
    pub(super) fn input_gradient(&self, sums: &Sums) -> InputGradient<T> {
        let (channels, block) = (self.gamma.len(), block(self.gamma.len()));
        let count = (self.input.len() / channels) as f64;
        let inverse: Vec<f64> = self.moments.inverse_deviations(self.epsilon).collect();
        let scale = self.gamma.iter().zip(&inverse).map(|(&gamma, inverse)| wide(gamma) * inverse);
        let scale: Vec<f64> = scale.collect();
        let slope = scale.iter().zip(&inverse).zip(&sums.product);
        let slope = slope.map(|((scale, inverse), product)| scale * inverse * inverse * product);
        let offset = scale.iter().zip(&sums.gradient);
        InputGradient {
            slope: tiled(slope.map(|slope| real(-slope / count)), block),
            offset: tiled(offset.map(|(scale, sum)| real(-scale * sum / count)), block),
            scale: tiled(scale.iter().map(|&scale| real(scale)), block),
            mean: self.means(),
        }
    }

    /// Of the input, and of the residual if there is one.
    fn of_rows(
        &self,
        of_input: &InputGradient<T>,
        gradient: &[T],
        rectified: &[T],
    ) -> (Memory<T>, Option<Memory<T>>) {
        let piece = of_input.mean.len() * BLOCKS;
        let relu = self.rectified.is_some();
        let inputs = self.input.par_chunks(piece).zip(rectified.par_chunks(piece));
        let pieces = gradient.par_chunks(piece).zip(inputs);
        let mut input = Memory::new(gradient.len());
        let mut residual = Memory::new(if self.has_residual { gradient.len() } else { 0 });
        let outputs = input.par_chunks_mut(piece);
        if self.has_residual {
            let outputs = outputs.zip(residual.par_chunks_mut(piece));
            pieces.zip(outputs).for_each(|((dy, (x, y)), (dx, dz))| {
                vectorized(
                    #[inline(always)]
                    || {
                        of_input.write(dy, x, (y, relu), dx);
                        pass(dy, (y, relu), dz);
                    },
                );
            });
        } else {
            pieces.zip(outputs).for_each(|((dy, (x, y)), dx)| {
                vectorized(
                    #[inline(always)]
                    || of_input.write(dy, x, (y, relu), dx),
                );
            });
        }
        (input, self.has_residual.then_some(residual))
    }
}

impl Sums {
    /// Of those of pieces, in their order.
    pub(super) fn of<T: Real>(
        pieces: impl IndexedParallelIterator<Item = [Vec<T>; 2]>,
        channels: usize,
    ) -> Self {
        let pieces = pieces.map(|sums| sums.map(|sums| fold(&sums, channels).collect::<Vec<_>>()));
        let mut total = [vec![0.0; channels], vec![0.0; channels]];
        for piece in pieces.collect::<Vec<_>>() {
            for (total, sums) in total.iter_mut().zip(piece) {
                total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
        }
        let [gradient, product] = total;
        Self { gradient, product }
    }
}

/// Zeros for what [`add_sums`] adds.
pub(super) fn block_of_sums<T: Real>(means: &[T]) -> [Vec<T>; 2] {
    [(); 2].map(|()| vec![T::zero(); means.len()])
}

/// Adds what rows are to [`Sums`], for each number of a block; with the output if there was a ReLU.
#[inline(always)]
pub(super) fn add_sums<T: Real>(
    gradient: &[T],
    input: &[T],
    (rectified, relu): (&[T], bool),
    means: &[T],
    [sums, products]: &mut [Vec<T>; 2],
) {
    let block = means.len();
    let inputs = input.chunks(block).zip(rectified.chunks(block));
    for (gradient, (input, rectified)) in gradient.chunks(block).zip(inputs) {
        for (((&dy, &x), (&y, &mean)), (sum, product)) in gradient
            .iter()
            .zip(input)
            .zip(rectified.iter().zip(means))
            .zip(sums.iter_mut().zip(&mut *products))
        {
            let dz = passed(dy, y, relu);
            *sum = *sum + dz;
            *product = *product + dz * (x - mean);
        }
    }
}

/// What of a gradient a ReLU with the output `y` lets through.
#[inline(always)]
fn passed<T: Real>(gradient: T, y: T, relu: bool) -> T {
    if !relu | (y > T::zero()) { gradient } else { T::zero() }
}

/// What of the gradient of some outputs a ReLU lets through.
#[inline(always)]
pub(super) fn pass<T: Real>(gradient: &[T], (rectified, relu): (&[T], bool), output: &mut [T]) {
    for ((&dy, &y), dz) in gradient.iter().zip(rectified).zip(output) {
        *dz = passed(dy, y, relu);
    }
}

impl<T: Real> InputGradient<T> {
    /// Writes that of some rows.
    #[inline(always)]
    pub(super) fn write(
        &self,
        gradient: &[T],
        input: &[T],
        (rectified, relu): (&[T], bool),
        output: &mut [T],
    ) {
        let block = self.mean.len();
        let inputs = input.chunks(block).zip(rectified.chunks(block));
        let chunks = gradient.chunks(block).zip(inputs).zip(output.chunks_mut(block));
        for ((gradient, (input, rectified)), output) in chunks {
            for ((((&dy, &x), (&y, dx)), (&scale, &slope)), (&offset, &mean)) in gradient
                .iter()
                .zip(input)
                .zip(rectified.iter().zip(output))
                .zip(self.scale.iter().zip(&self.slope))
                .zip(self.offset.iter().zip(&self.mean))
            {
                *dx = passed(dy, y, relu) * scale + (x - mean) * slope + offset;
            }
        }
    }
}
