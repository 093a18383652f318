use std::marker::PhantomData;

use super::super::product::WIDTH;
use super::super::real::Real;

/// Filters `[out_channels, in_channels, height, width]` as a convolution uses them.
pub struct Filters<'a, T, W = &'a [T]> {
    pub weight: W,
    /// Channels that the convolution writes.
    pub outputs: usize,
    /// From the filter of an output to that of the next.
    pub output_stride: usize,
    /// From the filter of an input to that of the next.
    pub input_stride: usize,
    /// The row and column of the filter that is used in place of each.
    pub taps: &'a [Vec<usize>; 2],
    /// Columns of a filter.
    pub width: usize,
    pub numbers: PhantomData<T>,
}

impl<T: Real, W> Filters<'_, T, W> {
    /// Where the weights of the first output lie.
    #[inline(always)]
    fn start(&self, input: usize, [row, column]: [usize; 2]) -> usize {
        let [rows, columns] = self.taps;
        let [row, column] =
            [rows.get(row), columns.get(column)].map(|tap| tap.map_or(0, |&tap| tap));
        input * self.input_stride + row * self.width + column
    }
}

impl<T: Real> Filters<'_, T> {
    /// The weights from an input to the outputs of a panel, zeros behind the last output.
    #[inline(always)]
    pub fn read(&self, panel: usize, input: usize, tap: [usize; 2]) -> [T; WIDTH] {
        let mut row = [T::zero(); WIDTH];
        let first = panel * WIDTH;
        let start = self.start(input, tap) + first * self.output_stride;
        let weights = self.weight.iter().skip(start).step_by(self.output_stride);
        let weights = weights.take(self.outputs - first);
        row.iter_mut().zip(weights).for_each(|(place, &weight)| *place = weight);
        row
    }
}

impl<T: Real> Filters<'_, T, &mut [T]> {
    /// Sets the weights from an input to the outputs, which are one panel.
    #[inline(always)]
    pub fn write(&mut self, input: usize, tap: [usize; 2], row: &[T; WIDTH]) {
        let start = self.start(input, tap);
        let weights = self.weight.iter_mut().skip(start).step_by(self.output_stride);
        weights.zip(row).for_each(|(weight, &value)| *weight = value);
    }
}
