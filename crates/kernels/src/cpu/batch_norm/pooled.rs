//! Batch norm and ReLU of images with max pooling behind them. What these would write and read
//! again is made in the cache, a row of windows at a time, wherever it is needed.

use rayon::prelude::*;

use super::super::channels::{OnChannels, numbers, numbers_mut, on_channels};
use super::super::max_pool::MaxPool2d;
use super::super::scratch::with_scratch;
use super::super::{Real, vectorized};
use super::backward::{Backward, Forward, InputGradient, Sums, no_sums};
use super::{Affine, block};
use crate::memory::Memory;

impl<T: Real> Affine<T> {
    /// Maps `input` and pools what it becomes, as [`MaxPool2d::forward`].
    pub fn apply_and_pool(
        &self,
        pool: MaxPool2d,
        input: &[T],
        output: &mut [T],
        places: &mut [u8],
    ) {
        let tiled = self.tiled(block(pool.channels));
        pool.for_each_row(output, places, |index, output, places| {
            with_scratch([pool.window_row(), 0], |[mapped, _]| {
                vectorized(
                    #[inline(always)]
                    || {
                        tiled.map(pool.rows(input, index), mapped);
                        pool.forward_row(mapped, output, places);
                    },
                );
            });
        });
    }
}

/// What the backward pass of both needs to know of the forward one.
pub struct Pooled<'a, T> {
    /// Without its output.
    pub norm: Forward<'a, T>,
    pub pool: MaxPool2d,
    pub output: &'a [T],
    pub places: &'a [u8],
}

impl<T: Real> Pooled<'_, T> {
    /// The gradients that follow from that of the pooled output.
    pub fn backward(&self, gradient: &[T]) -> Backward<T> {
        let (image, row) = (self.pool.image().max(1), self.pool.window_row().max(1));
        let inputs = self.norm.input.par_chunks_exact(image).enumerate();
        let sums = self.sums(inputs.clone(), gradient);
        let map = self.norm.input_gradient(&sums);
        let mut input = Memory::new(self.norm.input.len());
        inputs.zip(input.par_chunks_exact_mut(image)).for_each(|((index, x), output)| {
            for (at, (x, output)) in x.chunks(row).zip(output.chunks_mut(row)).enumerate() {
                let row = self.row(gradient, x, (index, at));
                vectorized(
                    #[inline(always)]
                    || on_channels(self.pool.channels, Write { row, map: &map, output }),
                );
            }
        });
        self.norm.collect(input, None, sums)
    }

    fn sums<'x>(
        &self,
        images: impl IndexedParallelIterator<Item = (usize, &'x [T])>,
        gradient: &[T],
    ) -> Sums
    where
        T: 'x,
    {
        let means = self.norm.means();
        let sums = images.map(|(index, image)| {
            let mut sums = no_sums(self.pool.channels);
            for (at, x) in image.chunks(self.pool.window_row().max(1)).enumerate() {
                let row = self.row(gradient, x, (index, at));
                vectorized(
                    #[inline(always)]
                    || on_channels(self.pool.channels, Add { row, means: &means, sums: &mut sums }),
                );
            }
            sums
        });
        Sums::of(sums, self.pool.channels)
    }

    /// Row `row` of the windows of image `index`, which have the input `x`.
    fn row<'a>(
        &'a self,
        gradient: &'a [T],
        x: &'a [T],
        (index, row): (usize, usize),
    ) -> Row<'a, T> {
        let start = (index * self.pool.out_height() + row) * self.pool.out_row();
        // Rows that fill no window are the last of an image.
        let count = if row < self.pool.out_height() { self.pool.out_row() } else { 0 };
        let range = start..start + count;
        Row {
            pool: self.pool,
            x,
            gradient: gradient.get(range.clone()).unwrap_or_default(),
            output: self.output.get(range.clone()).unwrap_or_default(),
            places: self.places.get(range).unwrap_or_default(),
        }
    }
}

/// A row of windows.
#[derive(Clone, Copy)]
struct Row<'a, T> {
    pool: MaxPool2d,
    /// The rows of the input.
    x: &'a [T],
    /// Of the outputs.
    gradient: &'a [T],
    output: &'a [T],
    places: &'a [u8],
}

impl<'a, T: Real> Row<'a, T> {
    /// Hands on, of each pixel of the input, where its `N` channels from one on begin, the gradient
    /// before the ReLU, and the input.
    #[inline(always)]
    fn for_each_pixel<const N: usize>(
        self,
        channel: usize,
        mut work: impl FnMut(usize, [T; N], &'a [T; N]),
    ) {
        let MaxPool2d { width, channels, size, .. } = self.pool;
        for (y, start) in (0..self.x.len()).step_by((width * channels).max(1)).enumerate() {
            for (window, column) in (0..width).step_by(size).enumerate() {
                for (place, column) in (y * size..).zip(column..width.min(column + size)) {
                    let start = start + column * channels + channel;
                    let Some(x) = numbers(self.x, start) else { continue };
                    work(start, self.gradient_at(window * channels + channel, place as u8), x);
                }
            }
        }
    }

    /// Of the pixels at a place of a window, whose outputs begin with number `start`; zeros if there
    /// is no such window.
    #[inline(always)]
    fn gradient_at<const N: usize>(&self, start: usize, place: u8) -> [T; N] {
        let mut kept = [T::zero(); N];
        let gradient = numbers::<T, N>(self.gradient, start);
        let output = numbers::<T, N>(self.output, start);
        let places = numbers::<u8, N>(self.places, start);
        if let (Some(gradient), Some(output), Some(places)) = (gradient, output, places) {
            let outputs = output.iter().zip(places);
            for ((kept, &dy), (&y, &at)) in kept.iter_mut().zip(gradient).zip(outputs) {
                *kept = dy.kept_if((y > T::zero()) & (at == place));
            }
        }
        kept
    }
}

/// Adds what a row of windows is to [`Sums`].
struct Add<'a, T> {
    row: Row<'a, T>,
    means: &'a [T],
    sums: &'a mut [Vec<T>; 2],
}

impl<T: Real> OnChannels for Add<'_, T> {
    #[inline(always)]
    fn run<const N: usize>(&mut self, channel: usize) {
        let Some(means) = numbers::<T, N>(self.means, channel) else { return };
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
            let Some(sums) = numbers_mut::<T, N>(sums, channel) else { continue };
            sums.iter_mut().zip(added).for_each(|(sum, added)| *sum = *sum + added);
        }
    }
}

/// Writes the gradient of the input of a row of windows.
struct Write<'a, T> {
    row: Row<'a, T>,
    map: &'a InputGradient<T>,
    output: &'a mut [T],
}

impl<T: Real> OnChannels for Write<'_, T> {
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "all indices are below the arrays' lengths")]
    fn run<const N: usize>(&mut self, channel: usize) {
        let Some([scale, slope, offset, mean]) = self.map.of_channels::<N>(channel) else { return };
        let output = &mut *self.output;
        self.row.for_each_pixel(
            channel,
            #[inline(always)]
            |start, dz: [T; N], x| {
                let mut dx = dz;
                for n in 0..N {
                    dx[n] = dz[n] * scale[n] + (x[n] - mean[n]) * slope[n] + offset[n];
                }
                if let Some(output) = numbers_mut(output, start) {
                    *output = dx;
                }
            },
        );
    }
}
