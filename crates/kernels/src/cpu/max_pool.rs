use rayon::prelude::*;

use super::channels::{ChannelKernel, array_at, array_at_mut, run_channels};
use super::{SimdFloat, vectorized};

/// 2D max pooling over windows of `size` x `size` with a stride of `size` of images
/// `[batch, height, width, channels]`. Incomplete windows at the end are ignored.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool2d {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// At most 16: an index within a window is a `u8`.
    pub size: usize,
}

impl MaxPool2d {
    pub fn out_height(&self) -> usize {
        self.height / self.size
    }

    pub fn out_width(&self) -> usize {
        self.width / self.size
    }

    /// Number of outputs.
    pub fn output_len(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.channels
    }

    /// Number of values in an output row.
    pub fn out_row_len(&self) -> usize {
        self.out_width() * self.channels
    }

    /// Number of values in an input image.
    pub fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Number of values in the input rows of one output row.
    pub fn window_row_len(&self) -> usize {
        self.size * self.width * self.channels
    }

    /// Writes the outputs and the row-major index of each maximum within its window: the first of
    /// equal values, as in PyTorch. NaN counts as the largest value.
    pub fn forward<T: SimdFloat>(&self, input: &[T], output: &mut [T], indices: &mut [u8]) {
        self.for_each_row(output, indices, |index, output, indices| {
            vectorized(
                #[inline(always)]
                || self.forward_row(self.window_rows(input, index), output, indices),
            );
        });
    }

    /// Calls `work(index, output, indices)` for each output row, counted over all images.
    pub fn for_each_row<T: SimdFloat>(
        &self,
        output: &mut [T],
        indices: &mut [u8],
        work: impl Fn(usize, &mut [T], &mut [u8]) + Sync,
    ) {
        let row = self.out_row_len().max(1);
        let rows = output.par_chunks_exact_mut(row).zip(indices.par_chunks_exact_mut(row));
        rows.enumerate().for_each(|(index, (output, indices))| work(index, output, indices));
    }

    /// [`MaxPool2d::forward`] of one output row, given its input rows.
    #[inline(always)]
    pub fn forward_row<T: SimdFloat>(&self, rows: &[T], output: &mut [T], indices: &mut [u8]) {
        run_channels(self.channels, WindowMax { pool: self, rows, output, indices });
    }

    /// Writes the gradient of the input: the gradient of each output at its maximum, 0 elsewhere.
    pub fn backward<T: SimdFloat>(&self, gradient: &[T], indices: &[u8], input: &mut [T]) {
        let (row, window_row) = (self.out_row_len(), self.window_row_len().max(1));
        input.par_chunks_exact_mut(self.image_len().max(1)).enumerate().for_each(
            |(index, image)| {
                let outputs =
                    index * self.out_height() * row..(index + 1) * self.out_height() * row;
                let gradient = gradient.get(outputs.clone()).unwrap_or_default();
                let indices = indices.get(outputs).unwrap_or_default();
                let outputs =
                    gradient.chunks_exact(row.max(1)).zip(indices.chunks_exact(row.max(1)));
                let mut rows = image.chunks_mut(window_row);
                for ((gradient, indices), rows) in outputs.zip(&mut rows) {
                    vectorized(
                        #[inline(always)]
                        || self.backward_row(gradient, indices, rows),
                    );
                }
                rows.for_each(|rest| rest.fill(T::zero()));
            },
        );
    }

    /// [`MaxPool2d::backward`] of the input rows of one output row.
    #[inline(always)]
    fn backward_row<T: SimdFloat>(&self, gradient: &[T], indices: &[u8], rows: &mut [T]) {
        for (y, row) in rows.chunks_exact_mut(self.width * self.channels).enumerate() {
            let mut windows = row.chunks_exact_mut(self.size * self.channels);
            let outputs = gradient.chunks_exact(self.channels);
            let outputs = outputs.zip(indices.chunks_exact(self.channels));
            for ((gradient, indices), window) in outputs.zip(&mut windows) {
                for (x, pixel) in window.chunks_exact_mut(self.channels).enumerate() {
                    let index = (y * self.size + x) as u8;
                    for ((value, &gradient), &at) in pixel.iter_mut().zip(gradient).zip(indices) {
                        *value = if at == index { gradient } else { T::zero() };
                    }
                }
            }
            windows.into_remainder().fill(T::zero());
        }
    }

    /// Returns the input rows of output row `index`, counted over all images.
    pub fn window_rows<'a, T>(&self, input: &'a [T], index: usize) -> &'a [T] {
        let row = self.width * self.channels;
        let (image, index) = (index / self.out_height(), index % self.out_height());
        let start = (image * self.height + index * self.size) * row;
        input.get(start..start + self.size * row).unwrap_or_default()
    }
}

/// Computes the maxima of a row of windows.
struct WindowMax<'a, T> {
    pool: &'a MaxPool2d,
    /// Input rows.
    rows: &'a [T],
    output: &'a mut [T],
    indices: &'a mut [u8],
}

impl<T: SimdFloat> ChannelKernel for WindowMax<'_, T> {
    #[inline(always)]
    fn run<const N: usize>(&mut self, channel: usize) {
        let MaxPool2d { channels, size, .. } = *self.pool;
        for window in 0..self.pool.out_width() {
            let (most, indices) = self.window_max::<N>(window * size * channels + channel);
            let start = window * channels + channel;
            if let Some(output) = array_at_mut(self.output, start) {
                *output = most;
            }
            if let Some(index) = array_at_mut(self.indices, start) {
                *index = indices;
            }
        }
    }
}

impl<T: SimdFloat> WindowMax<'_, T> {
    /// Returns the maxima and their indices within the window that begins at `start`.
    #[inline(always)]
    fn window_max<const N: usize>(&self, start: usize) -> ([T; N], [u8; N]) {
        let MaxPool2d { width, channels, size, .. } = *self.pool;
        let (mut most, mut indices) = ([T::neg_infinity(); N], [0; N]);
        for y in 0..size {
            for x in 0..size {
                let values = array_at::<T, N>(self.rows, start + (y * width + x) * channels);
                let Some(values) = values else { continue };
                for ((&value, most), index) in values.iter().zip(&mut most).zip(&mut indices) {
                    let is_larger = (value > *most) | value.is_nan();
                    *most = if is_larger { value } else { *most };
                    *index = if is_larger { (y * size + x) as u8 } else { *index };
                }
            }
        }
        (most, indices)
    }
}
