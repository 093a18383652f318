use std::marker::PhantomData;

use super::super::micro_kernel::PANEL;
use super::super::simd_float::SimdFloat;

/// View of the weights `[out_channels, in_channels, height, width]` as the filters of a
/// convolution, which is the forward pass or the input gradient.
pub struct FilterView<'a, T, W = &'a [T]> {
    pub weight: W,
    /// Number of output channels of this convolution.
    pub outputs: usize,
    /// Distance between the filters of adjacent outputs.
    pub output_stride: usize,
    /// Distance between the filters of adjacent inputs.
    pub input_stride: usize,
    /// Kernel row and column of each tap.
    pub taps: &'a [Vec<usize>; 2],
    /// Kernel width.
    pub width: usize,
    pub element: PhantomData<T>,
}

impl<T: SimdFloat, W> FilterView<'_, T, W> {
    /// Returns the position of the weight of the first output.
    #[inline(always)]
    fn offset(&self, input: usize, [row, column]: [usize; 2]) -> usize {
        let [rows, columns] = self.taps;
        let [row, column] =
            [rows.get(row), columns.get(column)].map(|tap| tap.map_or(0, |&tap| tap));
        input * self.input_stride + row * self.width + column
    }
}

impl<T: SimdFloat> FilterView<'_, T> {
    /// Returns the weights from an input to the outputs of a panel, padded with zeros.
    #[inline(always)]
    pub fn read(&self, panel: usize, input: usize, tap: [usize; 2]) -> [T; PANEL] {
        let mut row = [T::zero(); PANEL];
        let first = panel * PANEL;
        let start = self.offset(input, tap) + first * self.output_stride;
        let weights = self.weight.iter().skip(start).step_by(self.output_stride);
        let weights = weights.take(self.outputs - first);
        row.iter_mut().zip(weights).for_each(|(target, &weight)| *target = weight);
        row
    }
}

impl<T: SimdFloat> FilterView<'_, T, &mut [T]> {
    /// Writes the weights from an input to the outputs; the view is of one panel.
    #[inline(always)]
    pub fn write(&mut self, input: usize, tap: [usize; 2], row: &[T; PANEL]) {
        let start = self.offset(input, tap);
        let weights = self.weight.iter_mut().skip(start).step_by(self.output_stride);
        weights.zip(row).for_each(|(weight, &value)| *weight = value);
    }
}
