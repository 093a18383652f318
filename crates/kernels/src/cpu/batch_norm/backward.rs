use rayon::prelude::*;

use super::super::channels::array_at;
use super::super::workspace::with_workspace;
use super::super::{SimdFloat, from_f64, to_f64, vectorized};
use super::moments::Moments;
use super::normalize::Normalize;
use super::{BLOCKS_PER_PIECE, block_len, fold_channels, tiled};
use crate::buffer_pool::Buffer;

/// Gradients of a batch norm.
pub struct Gradients<T> {
    pub input: Buffer<T>,
    /// Present if there is a residual.
    pub residual: Option<Buffer<T>>,
    pub gamma: Vec<f64>,
    pub beta: Vec<f64>,
}

/// Saved values of the forward pass.
pub struct BackwardPass<'a, T> {
    /// Input, `[rows, channels]`.
    pub input: &'a [T],
    pub rectified: Rectified<'a, T>,
    pub has_residual: bool,
    pub gamma: &'a [T],
    pub moments: &'a Moments,
    pub epsilon: f64,
}

/// Output of the rectifier after the batch norm.
pub enum Rectified<'a, T> {
    /// There is no rectifier.
    Absent,
    /// Saved output, `[rows, channels]`, and the largest one that is possible.
    Saved(&'a [T], T),
    /// Recomputed from the input, which is cheaper than saving it.
    Recomputed(Normalize<T>),
}

/// Reductions over all rows per channel: the sum of the gradient before the rectifier, and the sum of
/// its product with the centred input.
pub(super) struct ChannelSums {
    gradient: Vec<f64>,
    product: Vec<f64>,
}

/// Coefficients of the gradient of the input, `scale dz + slope (x - mean) + offset` per channel,
/// repeated to the length of a block.
pub(super) struct InputGradientMap<T> {
    scale: Vec<T>,
    slope: Vec<T>,
    offset: Vec<T>,
    mean: Vec<T>,
}

impl<T: SimdFloat> BackwardPass<'_, T> {
    /// Returns the gradients, given the gradient of the output, `[rows, channels]`.
    pub fn backward(&self, gradient: &[T]) -> Gradients<T> {
        let rectified = self.rectified.tiled(block_len(self.gamma.len()));
        let sums = self.sums(gradient, &rectified);
        let (input, residual) =
            self.row_gradients(&self.input_gradient(&sums), gradient, &rectified);
        self.combine_gradients(input, residual, sums)
    }

    /// Combines all gradients.
    pub(super) fn combine_gradients(
        &self,
        input: Buffer<T>,
        residual: Option<Buffer<T>>,
        sums: ChannelSums,
    ) -> Gradients<T> {
        let inverse = self.moments.inverse_deviations(self.epsilon);
        let gamma = sums.product.iter().zip(inverse).map(|(sum, inverse)| sum * inverse).collect();
        Gradients { input, residual, gamma, beta: sums.gradient }
    }

    /// Returns the means, repeated to the length of a block.
    pub(super) fn means(&self) -> Vec<T> {
        tiled(self.moments.mean.iter().map(|&mean| from_f64(mean)), block_len(self.gamma.len()))
    }

    fn sums(&self, gradient: &[T], rectified: &Rectified<T>) -> ChannelSums {
        let means = self.means();
        let piece = means.len() * BLOCKS_PER_PIECE;
        let pieces = gradient.par_chunks(piece).zip(self.input.par_chunks(piece)).enumerate();
        let sums = pieces.map(|(index, rows)| {
            let mut sums = zero_sums(means.len());
            rectified.backward(
                index * piece,
                rows,
                #[inline(always)]
                |dz| accumulate_sums(dz, rows.1, &means, &mut sums),
            );
            sums
        });
        ChannelSums::of(sums, self.gamma.len())
    }

    /// `gamma / std * (dz - sum(dz) / count - (x - mean) / std^2 * sum(dz (x - mean)) / count)`
    /// (Ioffe and Szegedy 2015, section 3).
    pub(super) fn input_gradient(&self, sums: &ChannelSums) -> InputGradientMap<T> {
        let (channels, block) = (self.gamma.len(), block_len(self.gamma.len()));
        let count = (self.input.len() / channels) as f64;
        let inverse: Vec<f64> = self.moments.inverse_deviations(self.epsilon).collect();
        let scale =
            self.gamma.iter().zip(&inverse).map(|(&gamma, inverse)| to_f64(gamma) * inverse);
        let scale: Vec<f64> = scale.collect();
        let slope = scale.iter().zip(&inverse).zip(&sums.product);
        let slope = slope.map(|((scale, inverse), product)| scale * inverse * inverse * product);
        let offset = scale.iter().zip(&sums.gradient);
        InputGradientMap {
            slope: tiled(slope.map(|slope| from_f64(-slope / count)), block),
            offset: tiled(offset.map(|(scale, sum)| from_f64(-scale * sum / count)), block),
            scale: tiled(scale.iter().map(|&scale| from_f64(scale)), block),
            mean: self.means(),
        }
    }

    /// Returns the gradients of the input and of the residual, if there is one.
    fn row_gradients(
        &self,
        of_input: &InputGradientMap<T>,
        gradient: &[T],
        rectified: &Rectified<T>,
    ) -> (Buffer<T>, Option<Buffer<T>>) {
        let piece = of_input.mean.len() * BLOCKS_PER_PIECE;
        let pieces = gradient.par_chunks(piece).zip(self.input.par_chunks(piece)).enumerate();
        let mut input = Buffer::new(gradient.len());
        let pieces = pieces.zip(input.par_chunks_mut(piece));
        if !self.has_residual {
            pieces.for_each(|((index, rows), dx)| {
                rectified.backward(
                    index * piece,
                    rows,
                    #[inline(always)]
                    |dz| of_input.write(dz, rows.1, dx),
                );
            });
            return (input, None);
        }
        let mut residual = Buffer::new(gradient.len());
        pieces.zip(residual.par_chunks_mut(piece)).for_each(
            |(((index, rows), dx), of_residual)| {
                rectified.backward(
                    index * piece,
                    rows,
                    #[inline(always)]
                    |dz| {
                        of_input.write(dz, rows.1, dx);
                        of_residual.copy_from_slice(dz);
                    },
                );
            },
        );
        (input, Some(residual))
    }
}

impl<T: SimdFloat> Rectified<'_, T> {
    /// Repeats the coefficients of a recomputation to the length of a block.
    fn tiled(&self, block: usize) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Saved(output, most) => Self::Saved(output, *most),
            Self::Recomputed(normalize) => Self::Recomputed(normalize.tiled(block)),
        }
    }

    /// Calls `work` with the gradient before the rectifier of some rows, which begin at element `start`,
    /// given the gradient after it and the inputs.
    fn backward(&self, start: usize, (gradient, input): (&[T], &[T]), mut work: impl FnMut(&[T])) {
        with_workspace([gradient.len(); 2], |[again, passed]| {
            vectorized(
                #[inline(always)]
                || {
                    let (rectified, most) = match self {
                        Self::Absent => return work(gradient),
                        Self::Saved(output, most) => {
                            (output.get(start..).unwrap_or_default(), *most)
                        }
                        Self::Recomputed(normalize) => {
                            normalize.apply_to(input, again);
                            let [_, most] = normalize.range;
                            (&*again, most)
                        }
                    };
                    mask_gradient(gradient, (rectified, most), passed);
                    work(passed);
                },
            );
        });
    }
}

impl ChannelSums {
    /// Sums the partial sums of all pieces in order.
    pub(super) fn of<T: SimdFloat>(
        pieces: impl IndexedParallelIterator<Item = [Vec<T>; 2]>,
        channels: usize,
    ) -> Self {
        let pieces =
            pieces.map(|sums| sums.map(|sums| fold_channels(&sums, channels).collect::<Vec<_>>()));
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

/// Returns `[gradient, product]` accumulators of length `count`.
pub(super) fn zero_sums<T: SimdFloat>(count: usize) -> [Vec<T>; 2] {
    [(); 2].map(|()| vec![T::zero(); count])
}

/// Accumulates [`ChannelSums`] per element of a block, given the gradient before the rectifier.
#[inline(always)]
fn accumulate_sums<T: SimdFloat>(
    gradient: &[T],
    input: &[T],
    means: &[T],
    [sums, products]: &mut [Vec<T>; 2],
) {
    let block = means.len();
    for (gradient, input) in gradient.chunks(block).zip(input.chunks(block)) {
        for (((&dz, &x), &mean), (sum, product)) in
            gradient.iter().zip(input).zip(means).zip(sums.iter_mut().zip(&mut *products))
        {
            *sum = *sum + dz;
            *product = *product + dz * (x - mean);
        }
    }
}

/// Passes the gradient through a rectifier with the given output, whose range is 0 to `most`.
#[inline(always)]
fn mask_gradient<T: SimdFloat>(gradient: &[T], (rectified, most): (&[T], T), passed: &mut [T]) {
    for ((&dy, &y), dz) in gradient.iter().zip(rectified).zip(passed) {
        *dz = if (y > T::zero()) & (y < most) { dy } else { T::zero() };
    }
}

impl<T: SimdFloat> InputGradientMap<T> {
    /// Returns [scale, slope, offset, mean] of the channels `channel..channel + N`.
    #[inline(always)]
    pub(super) fn at_channels<const N: usize>(&self, channel: usize) -> Option<[&[T; N]; 4]> {
        Some([
            array_at(&self.scale, channel)?,
            array_at(&self.slope, channel)?,
            array_at(&self.offset, channel)?,
            array_at(&self.mean, channel)?,
        ])
    }

    /// Writes the gradient of some rows, given the gradient before the rectifier.
    #[inline(always)]
    fn write(&self, gradient: &[T], input: &[T], output: &mut [T]) {
        let block = self.mean.len();
        let inputs = gradient.chunks(block).zip(input.chunks(block));
        for ((gradient, input), output) in inputs.zip(output.chunks_mut(block)) {
            for ((((&dz, &x), dx), (&scale, &slope)), (&offset, &mean)) in gradient
                .iter()
                .zip(input)
                .zip(output)
                .zip(self.scale.iter().zip(&self.slope))
                .zip(self.offset.iter().zip(&self.mean))
            {
                *dx = dz * scale + (x - mean) * slope + offset;
            }
        }
    }
}
