//! Batch norm and ReLU of images with max pooling behind them. What these would write and read
//! again is made in the cache, a row of windows at a time, wherever it is needed.

use rayon::prelude::*;

use super::super::max_pool::MaxPool2d;
use super::super::scratch::with_scratch;
use super::super::{Real, vectorized};
use super::backward::{Backward, Forward, Sums, add_sums, block_of_sums, pass};
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
        let image = self.pool.image().max(1);
        let inputs = self.norm.input.par_chunks_exact(image).enumerate();
        let sums = self.sums(inputs.clone(), gradient);
        let of_input = self.norm.input_gradient(&sums);
        let mut input = Memory::new(self.norm.input.len());
        inputs.zip(input.par_chunks_exact_mut(image)).for_each(|((index, x), dx)| {
            let row = self.pool.window_row();
            let rows = x.chunks(row).zip(dx.chunks_mut(row)).enumerate();
            self.with_scratch(|scratch| {
                for (row, (x, dx)) in rows {
                    vectorized(
                        #[inline(always)]
                        || {
                            let dz = self.spread(gradient, (index, row), scratch);
                            of_input.write(dz, x, dx);
                        },
                    );
                }
            });
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
            let mut sums = block_of_sums(&means);
            self.with_scratch(|scratch| {
                for (row, x) in image.chunks(self.pool.window_row()).enumerate() {
                    vectorized(
                        #[inline(always)]
                        || {
                            let dz = self.spread(gradient, (index, row), scratch);
                            add_sums(dz, x, &means, &mut sums);
                        },
                    );
                }
            });
            sums
        });
        Sums::of(sums, self.pool.channels)
    }

    /// Lends memory for the gradients of a row of outputs and of its windows.
    fn with_scratch<R>(&self, work: impl FnOnce(&mut [&mut [T]; 2]) -> R) -> R {
        let counts = [self.pool.out_row(), self.pool.window_row()];
        with_scratch(counts, |mut scratch| work(&mut scratch))
    }

    /// The gradient before the ReLU of row `row` of the windows of image `index`: zeros if there
    /// is no such row, but rows of pixels that fill no window.
    #[inline(always)]
    fn spread<'s>(
        &self,
        gradient: &[T],
        (index, row): (usize, usize),
        [of_outputs, of_windows]: &'s mut [&mut [T]; 2],
    ) -> &'s [T] {
        if row == self.pool.out_height() {
            of_windows.fill(T::zero());
            return of_windows;
        }
        let start = (index * self.pool.out_height() + row) * of_outputs.len();
        let range = start..start + of_outputs.len();
        let gradient = gradient.get(range.clone()).unwrap_or_default();
        let output = self.output.get(range.clone()).unwrap_or_default();
        let places = self.places.get(range).unwrap_or_default();
        pass(gradient, output, of_outputs);
        self.pool.backward_row(of_outputs, places, of_windows);
        of_windows
    }
}
