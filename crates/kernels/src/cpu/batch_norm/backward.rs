use rayon::prelude::*;

use super::super::channels::numbers;
use super::super::scratch::with_scratch;
use super::super::{Real, real, vectorized, wide};
use super::affine::Affine;
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
    pub rectified: Rectified<'a, T>,
    pub has_residual: bool,
    pub gamma: &'a [T],
    pub moments: &'a Moments,
    pub epsilon: f64,
}

/// What a ReLU behind a batch norm gave.
pub enum Rectified<'a, T> {
    /// There was none.
    Nothing,
    /// This, `[rows, channels]`.
    Output(&'a [T]),
    /// What this gives again, which costs less than to have kept it.
    Again(Affine<T>),
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
        let rectified = self.rectified.tiled(block(self.gamma.len()));
        let sums = self.sums(gradient, &rectified);
        let (input, residual) = self.of_rows(&self.input_gradient(&sums), gradient, &rectified);
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

    fn sums(&self, gradient: &[T], rectified: &Rectified<T>) -> Sums {
        let means = self.means();
        let piece = means.len() * BLOCKS;
        let pieces = gradient.par_chunks(piece).zip(self.input.par_chunks(piece)).enumerate();
        let sums = pieces.map(|(index, rows)| {
            let mut sums = no_sums(means.len());
            rectified.pass(
                index * piece,
                rows,
                #[inline(always)]
                |dz| add_sums(dz, rows.1, &means, &mut sums),
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
        rectified: &Rectified<T>,
    ) -> (Memory<T>, Option<Memory<T>>) {
        let piece = of_input.mean.len() * BLOCKS;
        let pieces = gradient.par_chunks(piece).zip(self.input.par_chunks(piece)).enumerate();
        let mut input = Memory::new(gradient.len());
        let pieces = pieces.zip(input.par_chunks_mut(piece));
        if !self.has_residual {
            pieces.for_each(|((index, rows), dx)| {
                rectified.pass(
                    index * piece,
                    rows,
                    #[inline(always)]
                    |dz| of_input.write(dz, rows.1, dx),
                );
            });
            return (input, None);
        }
        let mut residual = Memory::new(gradient.len());
        pieces.zip(residual.par_chunks_mut(piece)).for_each(
            |(((index, rows), dx), of_residual)| {
                rectified.pass(
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

impl<T: Real> Rectified<'_, T> {
    /// With a map for whole blocks.
    fn tiled(&self, block: usize) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Output(output) => Self::Output(output),
            Self::Again(map) => Self::Again(map.tiled(block)),
        }
    }

    /// Hands on what it lets through of the gradients of some rows, which begin with number
    /// `start`, given their inputs.
    fn pass(&self, start: usize, (gradient, input): (&[T], &[T]), mut work: impl FnMut(&[T])) {
        with_scratch([gradient.len(); 2], |[again, passed]| {
            vectorized(
                #[inline(always)]
                || {
                    let rectified = match self {
                        Self::Nothing => return work(gradient),
                        Self::Output(output) => output.get(start..).unwrap_or_default(),
                        Self::Again(map) => {
                            map.map(input, again);
                            &*again
                        }
                    };
                    pass(gradient, rectified, passed);
                    work(passed);
                },
            );
        });
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

/// Zeros, to which the gradients and the products of so many columns are added.
pub(super) fn no_sums<T: Real>(count: usize) -> [Vec<T>; 2] {
    [(); 2].map(|()| vec![T::zero(); count])
}

/// Adds what rows are to [`Sums`], for each number of a block, given the gradient before the ReLU.
#[inline(always)]
fn add_sums<T: Real>(gradient: &[T], input: &[T], means: &[T], [sums, products]: &mut [Vec<T>; 2]) {
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

/// What of the gradient of some outputs a ReLU that gave them lets through.
#[inline(always)]
fn pass<T: Real>(gradient: &[T], rectified: &[T], passed: &mut [T]) {
    for ((&dy, &y), dz) in gradient.iter().zip(rectified).zip(passed) {
        *dz = if y > T::zero() { dy } else { T::zero() };
    }
}

impl<T: Real> InputGradient<T> {
    /// That of `N` channels from one on.
    #[inline(always)]
    pub(super) fn of_channels<const N: usize>(&self, channel: usize) -> Option<[&[T; N]; 4]> {
        Some([
            numbers(&self.scale, channel)?,
            numbers(&self.slope, channel)?,
            numbers(&self.offset, channel)?,
            numbers(&self.mean, channel)?,
        ])
    }

    /// Writes that of some rows, given the gradient before the ReLU.
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
