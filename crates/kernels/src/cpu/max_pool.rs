use rayon::prelude::*;

use super::channels::{OnChannels, numbers, numbers_mut, on_channels};
use super::{Real, vectorized};

/// The largest value of each window of `size` x `size`, without overlap, of images
/// `[batch, height, width, channels]`. Rows and columns that fill no window are left out.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool2d {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// At most 16: a place in a window is a byte.
    pub size: usize,
}

impl MaxPool2d {
    pub fn out_height(&self) -> usize {
        self.height / self.size
    }

    pub fn out_width(&self) -> usize {
        self.width / self.size
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.channels
    }

    /// The numbers of a row of the output.
    pub fn out_row(&self) -> usize {
        self.out_width() * self.channels
    }

    /// The numbers of an image of the input.
    pub fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The numbers of the rows of the input that a row of the output is made of.
    pub fn window_row(&self) -> usize {
        self.size * self.width * self.channels
    }

    /// Writes the outputs, and for each the place of its value in the window, row by row: the
    /// first of equals, as in PyTorch. NaN is larger than any number.
    pub fn forward<T: Real>(&self, input: &[T], output: &mut [T], places: &mut [u8]) {
        self.for_each_row(output, places, |index, output, places| {
            vectorized(
                #[inline(always)]
                || self.forward_row(self.rows(input, index), output, places),
            );
        });
    }

    /// Does `work` for each row of the output, counted over all images, and its places.
    pub fn for_each_row<T: Real>(
        &self,
        output: &mut [T],
        places: &mut [u8],
        work: impl Fn(usize, &mut [T], &mut [u8]) + Sync,
    ) {
        let row = self.out_row().max(1);
        let rows = output.par_chunks_exact_mut(row).zip(places.par_chunks_exact_mut(row));
        rows.enumerate().for_each(|(index, (output, places))| work(index, output, places));
    }

    /// [`MaxPool2d::forward`] of a row of the output from its rows of the input.
    #[inline(always)]
    pub fn forward_row<T: Real>(&self, rows: &[T], output: &mut [T], places: &mut [u8]) {
        on_channels(self.channels, Largest { pool: self, rows, output, places });
    }

    /// Writes the gradient of the input: that of each output at its place, 0 elsewhere.
    pub fn backward<T: Real>(&self, gradient: &[T], places: &[u8], input: &mut [T]) {
        let (row, window_row) = (self.out_row(), self.window_row().max(1));
        input.par_chunks_exact_mut(self.image().max(1)).enumerate().for_each(|(index, image)| {
            let outputs = index * self.out_height() * row..(index + 1) * self.out_height() * row;
            let gradient = gradient.get(outputs.clone()).unwrap_or_default();
            let places = places.get(outputs).unwrap_or_default();
            let outputs = gradient.chunks_exact(row.max(1)).zip(places.chunks_exact(row.max(1)));
            let mut rows = image.chunks_mut(window_row);
            for ((gradient, places), rows) in outputs.zip(&mut rows) {
                vectorized(
                    #[inline(always)]
                    || self.backward_row(gradient, places, rows),
                );
            }
            rows.for_each(|rest| rest.fill(T::zero()));
        });
    }

    /// [`MaxPool2d::backward`] of the rows of the input that a row of the output is made of.
    #[inline(always)]
    fn backward_row<T: Real>(&self, gradient: &[T], places: &[u8], rows: &mut [T]) {
        for (y, row) in rows.chunks_exact_mut(self.width * self.channels).enumerate() {
            let mut windows = row.chunks_exact_mut(self.size * self.channels);
            let outputs = gradient.chunks_exact(self.channels);
            let outputs = outputs.zip(places.chunks_exact(self.channels));
            for ((gradient, places), window) in outputs.zip(&mut windows) {
                for (x, pixel) in window.chunks_exact_mut(self.channels).enumerate() {
                    let place = (y * self.size + x) as u8;
                    for ((value, &gradient), &at) in pixel.iter_mut().zip(gradient).zip(places) {
                        *value = if at == place { gradient } else { T::zero() };
                    }
                }
            }
            windows.into_remainder().fill(T::zero());
        }
    }

    /// The rows of the input that row `index` of the output, counted over all images, is made of.
    pub fn rows<'a, T>(&self, input: &'a [T], index: usize) -> &'a [T] {
        let row = self.width * self.channels;
        let (image, index) = (index / self.out_height(), index % self.out_height());
        let start = (image * self.height + index * self.size) * row;
        input.get(start..start + self.size * row).unwrap_or_default()
    }
}

/// Finds the largest values of a row of windows.
struct Largest<'a, T> {
    pool: &'a MaxPool2d,
    /// Of the input.
    rows: &'a [T],
    output: &'a mut [T],
    places: &'a mut [u8],
}

impl<T: Real> OnChannels for Largest<'_, T> {
    #[inline(always)]
    fn run<const N: usize>(&mut self, channel: usize) {
        let MaxPool2d { channels, size, .. } = *self.pool;
        for window in 0..self.pool.out_width() {
            let (most, places) = self.largest::<N>(window * size * channels + channel);
            let start = window * channels + channel;
            if let Some(output) = numbers_mut(self.output, start) {
                *output = most;
            }
            if let Some(place) = numbers_mut(self.places, start) {
                *place = places;
            }
        }
    }
}

impl<T: Real> Largest<'_, T> {
    /// In the window whose first value is number `start` of its rows: the values and their places.
    #[inline(always)]
    fn largest<const N: usize>(&self, start: usize) -> ([T; N], [u8; N]) {
        let MaxPool2d { width, channels, size, .. } = *self.pool;
        let (mut most, mut places) = ([T::neg_infinity(); N], [0; N]);
        for y in 0..size {
            for x in 0..size {
                let values = numbers::<T, N>(self.rows, start + (y * width + x) * channels);
                let Some(values) = values else { continue };
                for ((&value, most), place) in values.iter().zip(&mut most).zip(&mut places) {
                    let is_larger = (value > *most) | value.is_nan();
                    *most = if is_larger { value } else { *most };
                    *place = if is_larger { (y * size + x) as u8 } else { *place };
                }
            }
        }
        (most, places)
    }
}
