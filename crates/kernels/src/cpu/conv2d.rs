//! Convolutions of images `[batch, height, width, channels]` and their gradients.

mod filters;
mod grid;
mod passes;
mod scheme;
mod windows;
mod winograd;

use rayon::prelude::*;

use self::grid::Images;
use self::passes::{Kernel, correlate, filter_gradient};
use self::windows::Windows;
use self::winograd::Winograd;
use super::real::Real;
use super::{block_sums, vectorized};

/// A convolution of images: its geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    /// How many images.
    pub batch: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Rows and columns of a filter.
    pub kernel: [usize; 2],
    /// Rows and columns from one output to the next.
    pub stride: [usize; 2],
    /// Rows and columns of zeros around the image.
    pub padding: [usize; 2],
}

/// From so many channels on, the fewer products of tiles outweigh their transforms.
const WINOGRAD_CHANNELS: usize = 12;

impl Conv2d {
    /// Rows of the output.
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding[0] - self.kernel[0]) / self.stride[0] + 1
    }

    /// Columns of the output.
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding[1] - self.kernel[1]) / self.stride[1] + 1
    }

    /// Convolves `x` `[batch, height, width, in_channels]` with `weight`
    /// `[out_channels, in_channels, kernel height, kernel width]`, adds `bias` `[out_channels]` and
    /// writes `y` `[batch, out_height, out_width, out_channels]`.
    pub fn forward<T: Real>(&self, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
        let kernel = (self.kernel(), weight);
        let bias = bias.unwrap_or_default();
        if self.is_tiled() {
            correlate([(self.tiles(), self.taps())].into(), kernel, x, bias, y);
        } else {
            correlate([(self.windows(), self.taps())].into(), kernel, x, bias, y);
        }
    }

    /// Writes the gradient of `x` that follows from that of `y`.
    pub fn backward_input<T: Real>(&self, dy: &[T], weight: &[T], dx: &mut [T]) {
        let kernel = (self.kernel().transposed(), weight);
        if self.is_tiled() {
            correlate([self.tiles_of_gradient()].into(), kernel, dy, &[], dx);
        } else {
            let [rows, columns] = self.stride;
            let phases = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
            let phases = phases.map(|phase| self.windows_of_gradient(phase)).collect();
            correlate(phases, kernel, dy, &[], dx);
        }
    }

    /// Writes the gradient of the weight, in its layout, that follows from that of `y`.
    pub fn backward_weight<T: Real>(&self, x: &[T], dy: &[T], dw: &mut [T]) {
        let kernel = (self.kernel(), dw);
        if self.is_tiled() {
            filter_gradient(self.tiles(), &self.taps(), self.batch, kernel, [x, dy]);
        } else {
            filter_gradient(self.windows(), &self.taps(), self.batch, kernel, [x, dy]);
        }
    }

    /// Writes the gradient of the bias that follows from that of `y`.
    pub fn backward_bias<T: Real>(&self, dy: &[T], db: &mut [T]) {
        let piece = self.out_channels * (1 << 12usize);
        let sums = dy.par_chunks(piece).map(|piece| channel_sums(piece, self.out_channels));
        db.fill(T::zero());
        for sums in sums.collect::<Vec<_>>() {
            db.iter_mut().zip(sums).for_each(|(total, sum)| *total = *total + sum);
        }
    }

    fn is_tiled(&self) -> bool {
        self.kernel == [3, 3]
            && self.stride == [1, 1]
            && self.in_channels.min(self.out_channels) >= WINOGRAD_CHANNELS
    }

    fn kernel(&self) -> Kernel {
        Kernel {
            inputs: self.in_channels,
            outputs: self.out_channels,
            input_stride: self.kernel[0] * self.kernel[1],
            output_stride: self.in_channels * self.kernel[0] * self.kernel[1],
            width: self.kernel[1],
        }
    }

    fn taps(&self) -> [Vec<usize>; 2] {
        self.kernel.map(|size| (0..size).collect())
    }

    fn tiles(&self) -> Winograd {
        let offset = self.padding.map(|padding| -padding.cast_signed());
        Winograd { input: self.input(), output: self.output(), offset }
    }

    fn windows(&self) -> Windows {
        Windows {
            input: self.input(),
            output: self.output(),
            taps: self.kernel,
            stride: self.stride,
            offset: self.padding.map(|padding| -padding.cast_signed()),
            step: [1; 2],
            phase: [0; 2],
        }
    }

    fn tiles_of_gradient(&self) -> (Winograd, [Vec<usize>; 2]) {
        let [rows, columns] = self.gradient_axes([0; 2]);
        let tiles =
            Winograd { input: self.output(), output: self.input(), offset: [rows.1, columns.1] };
        (tiles, [rows.0, columns.0])
    }

    /// The gradient of every `stride`th row and column from `phase` on: what each tap of the
    /// filter whose outputs it is an input of passes back.
    fn windows_of_gradient(&self, phase: [usize; 2]) -> (Windows, [Vec<usize>; 2]) {
        let [rows, columns] = self.gradient_axes(phase);
        let windows = Windows {
            input: self.output(),
            output: self.input(),
            taps: [rows.0.len(), columns.0.len()],
            stride: [1; 2],
            offset: [rows.1, columns.1],
            step: self.stride,
            phase,
        };
        (windows, [rows.0, columns.0])
    }

    fn gradient_axes(&self, [row, column]: [usize; 2]) -> [(Vec<usize>, isize); 2] {
        let ([kernel_rows, kernel_columns], [stride_rows, stride_columns]) =
            (self.kernel, self.stride);
        let [padding_rows, padding_columns] = self.padding;
        [
            gradient_axis(kernel_rows, stride_rows, row + padding_rows),
            gradient_axis(kernel_columns, stride_columns, column + padding_columns),
        ]
    }

    fn input(&self) -> Images {
        Images { height: self.height, width: self.width, channels: self.in_channels }
    }

    fn output(&self) -> Images {
        Images { height: self.out_height(), width: self.out_width(), channels: self.out_channels }
    }
}

/// The taps that reach inputs of a phase, from the first output to the last, and the distance from
/// the input to the first output.
fn gradient_axis(kernel: usize, stride: usize, padded: usize) -> (Vec<usize>, isize) {
    let first = padded % stride;
    let taps: Vec<usize> = (first..kernel).step_by(stride).rev().collect();
    let last = ((padded - first) / stride).cast_signed();
    let offset = last + 1 - taps.len().cast_signed();
    (taps, offset)
}

/// The sum of each channel of rows `[rows, channels]`.
fn channel_sums<T: Real>(rows: &[T], channels: usize) -> Vec<T> {
    let block = channels * (512 / channels).max(1);
    let sums = vectorized(
        #[inline(always)]
        || block_sums(rows, block),
    );
    let sum = |channel| sums.iter().skip(channel).step_by(channels).fold(T::zero(), |a, &b| a + b);
    (0..channels).map(sum).collect()
}

#[cfg(test)]
mod tests;
