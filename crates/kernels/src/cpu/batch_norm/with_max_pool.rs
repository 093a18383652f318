//! Fused batch norm, ReLU and max pooling of images. Intermediate results are computed per row of
//! windows in the cache and recomputed in the backward pass.

use rayon::prelude::*;

use super::super::channels::{ChannelKernel, array_at, array_at_mut, run_channels};
use super::super::max_pool::MaxPool2d;
use super::super::workspace::with_workspace;
use super::super::{SimdFloat, vectorized};
use super::backward::{BackwardPass, ChannelSums, Gradients, InputGradientMap, zero_sums};
use super::{Normalize, block_len};
use crate::buffer_pool::Buffer;

impl<T: SimdFloat> Normalize<T> {
    /// Normalises `input` and max-pools the result; see [`MaxPool2d::forward`].
    pub fn apply_and_pool(
        &self,
        pool: MaxPool2d,
        input: &[T],
        output: &mut [T],
        indices: &mut [u8],
    ) {
        let tiled = self.tiled(block_len(pool.channels));
        pool.for_each_row(output, indices, |index, output, indices| {
            with_workspace([pool.window_row_len(), 0], |[mapped, _]| {
                vectorized(
                    #[inline(always)]
                    || {
                        tiled.apply_to(pool.window_rows(input, index), mapped);
                        pool.forward_row(mapped, output, indices);
                    },
                );
            });
        });
    }
}

/// Saved values of the forward pass.
pub struct PooledBackwardPass<'a, T> {
    /// Saved values of the batch norm, without its output.
    pub norm: BackwardPass<'a, T>,
    pub pool: MaxPool2d,
    pub output: &'a [T],
    pub indices: &'a [u8],
}

impl<T: SimdFloat> PooledBackwardPass<'_, T> {
    /// Returns the gradients, given the gradient of the pooled output.
    pub fn backward(&self, gradient: &[T]) -> Gradients<T> {
        let (image, row) = (self.pool.image_len().max(1), self.pool.window_row_len().max(1));
        let inputs = self.norm.input.par_chunks_exact(image).enumerate();
        let sums = self.sums(inputs.clone(), gradient);
        let map = self.norm.input_gradient(&sums);
        let mut input = Buffer::new(self.norm.input.len());
        inputs.zip(input.par_chunks_exact_mut(image)).for_each(|((index, x), output)| {
            for (at, (x, output)) in x.chunks(row).zip(output.chunks_mut(row)).enumerate() {
                let row = self.row(gradient, x, (index, at));
                vectorized(
                    #[inline(always)]
                    || {
                        run_channels(
                            self.pool.channels,
                            WriteInputGradient { row, map: &map, output },
                        )
                    },
                );
            }
        });
        self.norm.combine_gradients(input, None, sums)
    }

    fn sums<'x>(
        &self,
        images: impl IndexedParallelIterator<Item = (usize, &'x [T])>,
        gradient: &[T],
    ) -> ChannelSums
    where
        T: 'x,
    {
        let means = self.norm.means();
        let sums = images.map(|(index, image)| {
            let mut sums = zero_sums(self.pool.channels);
            for (at, x) in image.chunks(self.pool.window_row_len().max(1)).enumerate() {
                let row = self.row(gradient, x, (index, at));
                vectorized(
                    #[inline(always)]
                    || {
                        run_channels(
                            self.pool.channels,
                            AccumulateSums { row, means: &means, sums: &mut sums },
                        )
                    },
                );
            }
            sums
        });
        ChannelSums::of(sums, self.pool.channels)
    }

    /// Returns row `row` of the windows of image `index`, with the input `x`.
    fn row<'a>(
        &'a self,
        gradient: &'a [T],
        x: &'a [T],
        (index, row): (usize, usize),
    ) -> WindowRow<'a, T> {
        let start = (index * self.pool.out_height() + row) * self.pool.out_row_len();
        // Rows after the last complete window have no output.
        let count = if row < self.pool.out_height() { self.pool.out_row_len() } else { 0 };
        let range = start..start + count;
        WindowRow {
            pool: self.pool,
            x,
            gradient: gradient.get(range.clone()).unwrap_or_default(),
            output: self.output.get(range.clone()).unwrap_or_default(),
            indices: self.indices.get(range).unwrap_or_default(),
        }
    }
}

/// A row of windows.
#[derive(Clone, Copy)]
struct WindowRow<'a, T> {
    pool: MaxPool2d,
    /// Input rows.
    x: &'a [T],
    /// Gradient of the outputs.
    gradient: &'a [T],
    output: &'a [T],
    indices: &'a [u8],
}

impl<'a, T: SimdFloat> WindowRow<'a, T> {
    /// Calls `work(start, dz, x)` for the channels `channel..channel + N` of each input pixel:
    /// their position, the gradient before the ReLU, and the input.
    #[inline(always)]
    fn for_each_pixel<const N: usize>(
        self,
        channel: usize,
        mut work: impl FnMut(usize, [T; N], &'a [T; N]),
    ) {
        let MaxPool2d { width, channels, size, .. } = self.pool;
        for (y, start) in (0..self.x.len()).step_by((width * channels).max(1)).enumerate() {
            for (window, column) in (0..width).step_by(size).enumerate() {
                for (index, column) in (y * size..).zip(column..width.min(column + size)) {
                    let start = start + column * channels + channel;
                    let Some(x) = array_at(self.x, start) else { continue };
                    work(start, self.gradient_at(window * channels + channel, index as u8), x);
                }
            }
        }
    }

    /// Returns the gradient of the pixels with `index` in their window, whose outputs begin at
    /// `start`; zeros outside of complete windows.
    #[inline(always)]
    fn gradient_at<const N: usize>(&self, start: usize, index: u8) -> [T; N] {
        let mut masked = [T::zero(); N];
        let gradient = array_at::<T, N>(self.gradient, start);
        let output = array_at::<T, N>(self.output, start);
        let indices = array_at::<u8, N>(self.indices, start);
        if let (Some(gradient), Some(output), Some(indices)) = (gradient, output, indices) {
            let outputs = output.iter().zip(indices);
            for ((masked, &dy), (&y, &at)) in masked.iter_mut().zip(gradient).zip(outputs) {
                *masked = dy.masked((y > T::zero()) & (at == index));
            }
        }
        masked
    }
}

/// Accumulates [`ChannelSums`] over a row of windows.
struct AccumulateSums<'a, T> {
    row: WindowRow<'a, T>,
    means: &'a [T],
    sums: &'a mut [Vec<T>; 2],
}

impl<T: SimdFloat> ChannelKernel for AccumulateSums<'_, T> {
    #[inline(always)]
    fn run<const N: usize>(&mut self, channel: usize) {
        let Some(means) = array_at::<T, N>(self.means, channel) else { return };
        let mut added = [[T::zero(); N]; 2];
        self.row.for_each_pixel(
            channel,
            #[inline(always)]
            |_, dz: [T; N], x| {
                let [sums, products] = &mut added;
                let values = dz.iter().zip(x.iter().zip(means));
                for ((&dz, (&x, &mean)), (sum, product)) in
                    values.zip(sums.iter_mut().zip(products))
                {
                    *sum = *sum + dz;
                    *product = *product + dz * (x - mean);
                }
            },
        );
        for (sums, added) in self.sums.iter_mut().zip(added) {
            let Some(sums) = array_at_mut::<T, N>(sums, channel) else { continue };
            sums.iter_mut().zip(added).for_each(|(sum, added)| *sum = *sum + added);
        }
    }
}

/// Writes the gradient of the input of a row of windows.
struct WriteInputGradient<'a, T> {
    row: WindowRow<'a, T>,
    map: &'a InputGradientMap<T>,
    output: &'a mut [T],
}

impl<T: SimdFloat> ChannelKernel for WriteInputGradient<'_, T> {
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "all indices are below the arrays' lengths")]
    fn run<const N: usize>(&mut self, channel: usize) {
        let Some([scale, slope, offset, mean]) = self.map.at_channels::<N>(channel) else { return };
        let output = &mut *self.output;
        self.row.for_each_pixel(
            channel,
            #[inline(always)]
            |start, dz: [T; N], x| {
                let mut dx = dz;
                for n in 0..N {
                    dx[n] = dz[n] * scale[n] + (x[n] - mean[n]) * slope[n] + offset[n];
                }
                if let Some(output) = array_at_mut(output, start) {
                    *output = dx;
                }
            },
        );
    }
}
