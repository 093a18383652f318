use rayon::prelude::*;

use super::super::channels::{ChannelKernel, array_at, array_at_mut, run_channels};
use super::super::{SimdFloat, vectorized};
use super::positions::ImageShape;

/// A convolution of each channel with a filter of its own.
#[derive(Debug, Clone, Copy)]
pub struct Depthwise {
    pub input: ImageShape,
    pub output: ImageShape,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Stride along rows and columns.
    pub stride: [usize; 2],
    /// Zeros before the first row and before the first column.
    pub padding: [usize; 2],
}

impl Depthwise {
    /// See [`super::Conv2d::forward`]; `bias` may be empty.
    pub fn forward<T: SimdFloat>(&self, x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
        let taps = self.by_tap(weight);
        self.each_row(self.output, y, |image, row, y| {
            let image = self.image(x, self.input, image);
            let source = self.input;
            let sums =
                Row { shape: self, read: read_at, source, image, taps: &taps, bias, row, sums: y };
            run_channels(self.input.channels, sums);
        });
    }

    /// See [`super::Conv2d::backward_input`].
    pub fn backward_input<T: SimdFloat>(&self, dy: &[T], weight: &[T], dx: &mut [T]) {
        let taps = self.by_tap(weight);
        self.each_row(self.input, dx, |image, row, dx| {
            let image = self.image(dy, self.output, image);
            let (source, bias) = (self.output, &[][..]);
            let sums =
                Row { shape: self, read: read_by, source, image, taps: &taps, bias, row, sums: dx };
            run_channels(self.input.channels, sums);
        });
    }

    /// See [`super::Conv2d::backward_weight`]. The gradients of the images are added in order.
    pub fn backward_weight<T: SimdFloat>(&self, x: &[T], dy: &[T], dw: &mut [T]) {
        let images =
            x.par_chunks(self.input.image_len()).zip(dy.par_chunks(self.output.image_len()));
        let sums = images.map(|(x, dy)| {
            let mut taps = vec![T::zero(); dw.len()];
            vectorized(
                #[inline(always)]
                || {
                    let gradient = WeightGradient { shape: self, x, dy, taps: &mut taps };
                    run_channels(self.input.channels, gradient);
                },
            );
            taps
        });
        let sums: Vec<_> = sums.collect();
        let channels = self.input.channels;
        let count = self.kernel.iter().product();
        for (channel, filter) in dw.chunks_exact_mut(count).enumerate() {
            for (tap, weight) in filter.iter_mut().enumerate() {
                let of_image = |taps: &Vec<T>| taps.get(tap * channels + channel).copied();
                *weight = sums.iter().filter_map(of_image).fold(T::zero(), |a, b| a + b);
            }
        }
    }

    /// Weights `[channels, 1, height, width]` as `[height * width, channels]`.
    fn by_tap<T: SimdFloat>(&self, weight: &[T]) -> Vec<T> {
        let count = self.kernel.iter().product();
        (0..count).flat_map(|tap| weight.iter().skip(tap).step_by(count).copied()).collect()
    }

    /// Calls `work(image, row, values)` for each row of images of `shape`.
    fn each_row<T: SimdFloat>(
        &self,
        shape: ImageShape,
        values: &mut [T],
        work: impl Fn(usize, usize, &mut [T]) + Sync,
    ) {
        let rows = values.par_chunks_exact_mut(shape.row_len());
        rows.enumerate().for_each(|(index, values)| {
            vectorized(
                #[inline(always)]
                || work(index / shape.height, index % shape.height, values),
            );
        });
    }

    fn image<'a, T>(&self, values: &'a [T], shape: ImageShape, image: usize) -> &'a [T] {
        values.get(image * shape.image_len()..(image + 1) * shape.image_len()).unwrap_or_default()
    }
}

/// Position in an axis of `size` that `tap` reads for output `index`.
#[inline(always)]
fn read_at(index: usize, stride: usize, tap: usize, padding: usize, size: usize) -> Option<usize> {
    (index * stride + tap).checked_sub(padding).filter(|&position| position < size)
}

/// Output in an axis of `size` outputs that reads `index` with `tap`.
#[inline(always)]
fn read_by(index: usize, stride: usize, tap: usize, padding: usize, size: usize) -> Option<usize> {
    let position = (index + padding).checked_sub(tap)?;
    let output = position / stride;
    (output * stride == position && output < size).then_some(output)
}

/// A row of sums over the taps: of the output, or of the gradient of the input.
struct Row<'a, T, R> {
    shape: &'a Depthwise,
    /// [`read_at`] or [`read_by`].
    read: R,
    /// Shape of `image`, which is read.
    source: ImageShape,
    image: &'a [T],
    /// `[height * width, channels]`
    taps: &'a [T],
    /// Added to the sums; may be empty.
    bias: &'a [T],
    row: usize,
    sums: &'a mut [T],
}

impl<T, R> ChannelKernel for Row<'_, T, R>
where
    T: SimdFloat,
    R: Fn(usize, usize, usize, usize, usize) -> Option<usize>,
{
    #[inline(always)]
    fn run<const N: usize>(&mut self, channel: usize) {
        let Depthwise { kernel, stride, padding, .. } = *self.shape;
        let ImageShape { height, width, channels } = self.source;
        let bias = array_at::<T, N>(self.bias, channel).copied().unwrap_or([T::zero(); N]);
        for (column, pixel) in self.sums.chunks_exact_mut(channels).enumerate() {
            let mut sums = bias;
            for tap_row in 0..kernel[0] {
                let row = (self.read)(self.row, stride[0], tap_row, padding[0], height);
                let Some(row) = row else { continue };
                for tap_column in 0..kernel[1] {
                    let at = (self.read)(column, stride[1], tap_column, padding[1], width);
                    let Some(at) = at else { continue };
                    let values = (row * width + at) * channels + channel;
                    let tap = (tap_row * kernel[1] + tap_column) * channels + channel;
                    add_product::<T, N>(&mut sums, (self.image, values), (self.taps, tap));
                }
            }
            if let Some(values) = array_at_mut(pixel, channel) {
                *values = sums;
            }
        }
    }
}

/// The gradient of the weight for one image.
struct WeightGradient<'a, T> {
    shape: &'a Depthwise,
    x: &'a [T],
    dy: &'a [T],
    /// `[height * width, channels]`
    taps: &'a mut [T],
}

impl<T: SimdFloat> ChannelKernel for WeightGradient<'_, T> {
    #[inline(always)]
    fn run<const N: usize>(&mut self, channel: usize) {
        let Depthwise { input, output, kernel, stride, padding } = *self.shape;
        for y in 0..output.height {
            for tap_row in 0..kernel[0] {
                let row = read_at(y, stride[0], tap_row, padding[0], input.height);
                let Some(row) = row else { continue };
                for tap_column in 0..kernel[1] {
                    let tap = (tap_row * kernel[1] + tap_column) * input.channels + channel;
                    let Some(sums) = array_at_mut::<T, N>(self.taps, tap) else { continue };
                    for x in 0..output.width {
                        let at = read_at(x, stride[1], tap_column, padding[1], input.width);
                        let Some(at) = at else { continue };
                        let values = (row * input.width + at) * input.channels + channel;
                        let gradient = (y * output.width + x) * output.channels + channel;
                        add_product::<T, N>(sums, (self.x, values), (self.dy, gradient));
                    }
                }
            }
        }
    }
}

/// Adds the product of `N` values each of two slices, from the given positions on.
#[inline(always)]
fn add_product<T: SimdFloat, const N: usize>(
    sums: &mut [T; N],
    (one, at): (&[T], usize),
    (other, other_at): (&[T], usize),
) {
    let one = array_at::<T, N>(one, at);
    if let Some((one, other)) = one.zip(array_at::<T, N>(other, other_at)) {
        for ((sum, &one), &other) in sums.iter_mut().zip(one).zip(other) {
            *sum = *sum + one * other;
        }
    }
}
