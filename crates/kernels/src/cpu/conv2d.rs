//! 2D convolutions of images `[batch, height, width, channels]` and their gradients.
//!
//! 3x3 convolutions with stride 1 and enough channels use Winograd's algorithm, all others an
//! implicit GEMM. Depthwise convolutions have loops of their own.

mod algorithm;
mod depthwise;
mod direct;
mod filter_view;
mod parallel;
mod positions;
mod winograd;

use rayon::prelude::*;

use self::depthwise::Depthwise;
use self::direct::DirectConv;
use self::parallel::{WeightLayout, correlate, filter_gradient, pack};
use self::positions::ImageShape;
use self::winograd::Winograd;
use super::simd_float::SimdFloat;
use super::{sum_blocks, vectorized};
use crate::buffer_pool::Buffer;

/// Shape of a 2D convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    /// Batch size.
    pub batch: usize,
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Number of input channels.
    pub in_channels: usize,
    /// Number of output channels.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Stride along rows and columns.
    pub stride: [usize; 2],
    /// Zeros before the first and after the last row, and column.
    pub padding: [[usize; 2]; 2],
    /// Convolves each channel with a filter of its own; `weight` is `[channels, 1, ..]`.
    pub is_depthwise: bool,
}

/// Minimum number of channels from which Winograd's algorithm is faster than direct convolution.
const WINOGRAD_CHANNELS: usize = 12;
/// Minimum number of tiles, of all images, that outweighs the transformation of the filters.
const WINOGRAD_TILES: usize = 8;

impl Conv2d {
    /// Output height.
    pub fn out_height(&self) -> usize {
        self.out_size(self.height, 0)
    }

    /// Output width.
    pub fn out_width(&self) -> usize {
        self.out_size(self.width, 1)
    }

    #[expect(clippy::indexing_slicing, reason = "an axis is 0 or 1")]
    fn out_size(&self, size: usize, axis: usize) -> usize {
        let [before, after] = self.padding[axis];
        (size + before + after - self.kernel[axis]) / self.stride[axis] + 1
    }

    /// Zeros before the first row and before the first column.
    fn padding_before(&self) -> [usize; 2] {
        self.padding.map(|[before, _]| before)
    }

    /// Packs `weight` `[out_channels, in_channels, kernel_height, kernel_width]` for the forward
    /// pass.
    pub fn packed_filters<T: SimdFloat>(&self, weight: &[T]) -> Buffer<T> {
        if self.is_depthwise {
            let mut copy = Buffer::new(weight.len());
            copy.copy_from_slice(weight);
            return copy;
        }
        let weight = (self.weight_layout(), weight);
        if self.uses_winograd() {
            pack(&self.winograd(), &self.taps(), weight)
        } else {
            pack(&self.direct(), &self.taps(), weight)
        }
    }

    /// Convolves `x` `[batch, height, width, in_channels]` with the packed `filters`, adds `bias`
    /// `[out_channels]` and writes `y` `[batch, out_height, out_width, out_channels]`.
    pub fn forward<T: SimdFloat>(&self, x: &[T], filters: &[T], bias: Option<&[T]>, y: &mut [T]) {
        let bias = bias.unwrap_or_default();
        if self.is_depthwise {
            self.depthwise().forward(x, filters, bias, y);
        } else if self.uses_winograd() {
            correlate(vec![(self.winograd(), filters)], x, bias, y);
        } else {
            correlate(vec![(self.direct(), filters)], x, bias, y);
        }
    }

    /// Writes the gradient of `x`, given the gradient of `y`.
    pub fn backward_input<T: SimdFloat>(&self, dy: &[T], weight: &[T], dx: &mut [T]) {
        if self.is_depthwise {
            return self.depthwise().backward_input(dy, weight, dx);
        }
        let weight = (self.weight_layout().transposed(), weight);
        if self.uses_winograd() {
            let (tiles, taps) = self.winograd_gradient();
            let filters = pack(&tiles, &taps, weight);
            correlate(vec![(tiles, &filters)], dy, &[], dx);
        } else {
            let [rows, columns] = self.stride;
            let phases = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
            let phases = phases.map(|phase| {
                let (windows, taps) = self.direct_gradient(phase);
                let filters = pack(&windows, &taps, weight);
                (windows, filters)
            });
            let phases: Vec<_> = phases.collect();
            let phases = phases.iter().map(|(windows, filters)| (*windows, &**filters));
            correlate(phases.collect(), dy, &[], dx);
        }
    }

    /// Writes the gradient of `weight` in its layout, given the gradient of `y`.
    pub fn backward_weight<T: SimdFloat>(&self, x: &[T], dy: &[T], dw: &mut [T]) {
        if self.is_depthwise {
            return self.depthwise().backward_weight(x, dy, dw);
        }
        let weight = (self.weight_layout(), dw);
        if self.uses_winograd() {
            filter_gradient(self.winograd(), &self.taps(), self.batch, weight, [x, dy]);
        } else {
            filter_gradient(self.direct(), &self.taps(), self.batch, weight, [x, dy]);
        }
    }

    /// Writes the gradient of `bias`, given the gradient of `y`.
    pub fn backward_bias<T: SimdFloat>(&self, dy: &[T], db: &mut [T]) {
        let piece = self.out_channels * (1 << 12usize);
        let sums = dy.par_chunks(piece).map(|piece| channel_sums(piece, self.out_channels));
        db.fill(T::zero());
        for sums in sums.collect::<Vec<_>>() {
            db.iter_mut().zip(sums).for_each(|(total, sum)| *total = *total + sum);
        }
    }

    /// Whether filters are packed for Winograd's algorithm.
    pub fn uses_winograd(&self) -> bool {
        self.kernel == [3, 3]
            && self.stride == [1, 1]
            && self.in_channels.min(self.out_channels) >= WINOGRAD_CHANNELS
            && self.batch * Winograd::tiles(self.output_shape()) >= WINOGRAD_TILES
    }

    fn weight_layout(&self) -> WeightLayout {
        WeightLayout {
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

    fn winograd(&self) -> Winograd {
        let offset = self.padding_before().map(|padding| -padding.cast_signed());
        Winograd { input: self.input_shape(), output: self.output_shape(), offset }
    }

    fn direct(&self) -> DirectConv {
        DirectConv {
            input: self.input_shape(),
            output: self.output_shape(),
            taps: self.kernel,
            stride: self.stride,
            offset: self.padding_before().map(|padding| -padding.cast_signed()),
            step: [1; 2],
            phase: [0; 2],
        }
    }

    fn winograd_gradient(&self) -> (Winograd, [Vec<usize>; 2]) {
        let [rows, columns] = self.gradient_axes([0; 2]);
        let tiles = Winograd {
            input: self.output_shape(),
            output: self.input_shape(),
            offset: [rows.1, columns.1],
        };
        (tiles, [rows.0, columns.0])
    }

    /// Input gradient of every `stride`-th row and column from `phase` on: a convolution of the
    /// output gradient with the kernel taps that contribute to this phase (a transposed
    /// convolution).
    fn direct_gradient(&self, phase: [usize; 2]) -> (DirectConv, [Vec<usize>; 2]) {
        let [rows, columns] = self.gradient_axes(phase);
        let windows = DirectConv {
            input: self.output_shape(),
            output: self.input_shape(),
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
        let [padding_rows, padding_columns] = self.padding_before();
        [
            gradient_axis(kernel_rows, stride_rows, row + padding_rows),
            gradient_axis(kernel_columns, stride_columns, column + padding_columns),
        ]
    }

    fn depthwise(&self) -> Depthwise {
        Depthwise {
            input: self.input_shape(),
            output: self.output_shape(),
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding_before(),
        }
    }

    fn input_shape(&self) -> ImageShape {
        ImageShape { height: self.height, width: self.width, channels: self.in_channels }
    }

    fn output_shape(&self) -> ImageShape {
        ImageShape {
            height: self.out_height(),
            width: self.out_width(),
            channels: self.out_channels,
        }
    }
}

/// Returns the taps that contribute to inputs of a phase along one axis, in the order of the
/// outputs, and the distance from the input to the first output.
fn gradient_axis(kernel: usize, stride: usize, padded: usize) -> (Vec<usize>, isize) {
    let first = padded % stride;
    let taps: Vec<usize> = (first..kernel).step_by(stride).rev().collect();
    let last = ((padded - first) / stride).cast_signed();
    let offset = last + 1 - taps.len().cast_signed();
    (taps, offset)
}

/// Sums each channel of rows `[rows, channels]`.
fn channel_sums<T: SimdFloat>(rows: &[T], channels: usize) -> Vec<T> {
    let block = channels * (512 / channels).max(1);
    let sums = vectorized(
        #[inline(always)]
        || sum_blocks(rows, block),
    );
    let sum = |channel| sums.iter().skip(channel).step_by(channels).fold(T::zero(), |a, &b| a + b);
    (0..channels).map(sum).collect()
}

#[cfg(test)]
mod tests;
