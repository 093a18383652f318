use std::mem;

use super::geometry::{Affine, Region};
use crate::statistics::Scaler;

/// Maximum value of a pixel.
pub const WHITE: f32 = 255.0;

/// A pixel of up to three channels, padded with zeros to the width of a vector.
pub type Pixel = [f32; 4];

/// An image while it is augmented.
#[derive(Debug, Default)]
pub struct Canvas {
    /// Height and width.
    pub size: [usize; 2],
    /// Number of channels.
    pub channels: usize,
    /// Pixels, row-major, 0 to 255, before `map` is applied.
    pub pixels: Vec<Pixel>,
    /// Geometric changes that are still to be applied, as one resampling.
    pub map: Affine,
    /// Scratch space for a copy.
    pub spare: Vec<Pixel>,
}

impl Canvas {
    /// Loads the image `values` of shape `[height, width, channels]`.
    pub fn load(&mut self, values: &[u8], [height, width, channels]: [usize; 3]) {
        (self.size, self.channels) = ([height, width], channels);
        self.map = Affine::IDENTITY;
        self.pixels.clear();
        if channels == 3 {
            let pixel = |&[r, g, b]: &[u8; 3]| [r.into(), g.into(), b.into(), 0.0];
            self.pixels.extend(values.as_chunks().0.iter().map(pixel));
        } else {
            let pixel = |pixel: &[u8]| padded(pixel.iter().copied().map(f32::from));
            self.pixels.extend(values.chunks_exact(channels.max(1)).map(pixel));
        }
    }

    /// Applies a geometric change, together with those before and after it.
    pub fn transform(&mut self, map: Affine) {
        self.map = self.map.then(map);
    }

    /// Returns the pixels with all geometric changes applied, with bilinear interpolation and repeated
    /// edges.
    pub fn settled(&mut self) -> &mut [Pixel] {
        let map = mem::take(&mut self.map);
        if map != Affine::IDENTITY && !self.pixels.is_empty() {
            self.pad();
            pulp::Arch::new().dispatch(|| self.sample(map));
        }
        &mut self.pixels
    }

    /// Scales the image and stores it in `inputs`, shape `[height, width, channels]`.
    pub fn store(&mut self, scaler: &Scaler, inputs: &mut [f32]) {
        let [shift, scale] = [&scaler.shift, &scaler.scale].map(|of| padded(of.iter().copied()));
        let channels = self.channels;
        let pixels = self.settled();
        if channels == 3 {
            for (input, pixel) in inputs.as_chunks_mut().0.iter_mut().zip(pixels) {
                let [r, g, b, _] = scaled(*pixel, shift, scale);
                *input = [r, g, b];
            }
        } else {
            let inputs = inputs.chunks_exact_mut(channels.max(1));
            for (input, pixel) in inputs.zip(pixels) {
                let pixel = scaled(*pixel, shift, scale);
                input.iter_mut().zip(pixel).for_each(|(input, value)| *input = value);
            }
        }
    }

    /// Fills a rectangle with `fill`.
    pub fn fill(&mut self, Region { rows, columns }: &Region, fill: Pixel) {
        let width = self.size[1].max(1);
        let lines = self.settled().chunks_exact_mut(width).take(rows.end).skip(rows.start);
        lines.filter_map(|line| line.get_mut(columns.clone())).for_each(|cut| cut.fill(fill));
    }

    /// Copies the image with its last column and row repeated, so that every point has four
    /// neighbouring pixels.
    fn pad(&mut self) {
        let [height, width] = self.size;
        self.spare.clear();
        for row in self.pixels.chunks_exact(width) {
            self.spare.extend_from_slice(row);
            self.spare.extend(row.last());
        }
        self.spare.extend_from_within((height - 1) * (width + 1)..);
    }

    #[inline(always)]
    fn sample(&mut self, Affine { x, y }: Affine) {
        let [height, width] = self.size;
        let (last_x, last_y) = ((width - 1) as f64, (height - 1) as f64);
        for (row, line) in self.pixels.chunks_exact_mut(width).enumerate() {
            let down = row as f64 - last_y / 2.0;
            let start = |[_, by_down, fixed]: [f64; 3], last: f64| {
                (last / 2.0 + by_down * down + fixed) as f32
            };
            let (start_x, start_y) = (start(x, last_x), start(y, last_y));
            let (slope_x, slope_y) = (x[0] as f32, y[0] as f32);
            for (column, pixel) in line.iter_mut().enumerate() {
                let right = column as f32 - (last_x / 2.0) as f32;
                let at_x = (start_x + slope_x * right).clamp(0.0, last_x as f32);
                let at_y = (start_y + slope_y * right).clamp(0.0, last_y as f32);
                *pixel = between(&self.spare, width + 1, at_x, at_y);
            }
        }
    }
}

/// Interpolates between the four pixels around a point.
#[inline(always)]
fn between(pixels: &[Pixel], stride: usize, x: f32, y: f32) -> Pixel {
    let (column, row) = (x as u32, y as u32);
    let (right, down) = (x - column as f32, y - row as f32);
    let first = row as usize * stride + column as usize;
    let pair = |first: usize| match pixels.get(first..) {
        Some([left, right, ..]) => (*left, *right),
        _ => Default::default(),
    };
    let ((a, b), (c, d)) = (pair(first), pair(first + stride));
    blend(blend(a, b, right), blend(c, d, right), down)
}

/// Linear interpolation by the fraction `by`.
#[inline(always)]
fn blend(from: Pixel, to: Pixel, by: f32) -> Pixel {
    zip(from, to, |from, to| from + (to - from) * by)
}

fn scaled(pixel: Pixel, shift: Pixel, scale: Pixel) -> Pixel {
    zip(zip(pixel, shift, |value, shift| value - shift), scale, |value, scale| value / scale)
}

/// Returns the first four of `values`, one per channel, padded with zeros.
pub fn padded(values: impl IntoIterator<Item = f32>) -> Pixel {
    let mut pixel = [0.0; 4];
    pixel.iter_mut().zip(values).for_each(|(lane, value)| *lane = value);
    pixel
}

/// Returns the result of `of` for each channel of two pixels.
#[inline(always)]
pub fn zip([a, b, c, d]: Pixel, [w, x, y, z]: Pixel, of: impl Fn(f32, f32) -> f32) -> Pixel {
    [of(a, w), of(b, x), of(c, y), of(d, z)]
}

/// Sum of two pixels.
#[inline(always)]
pub fn add(one: Pixel, other: Pixel) -> Pixel {
    zip(one, other, |one, other| one + other)
}

/// A pixel multiplied by a number.
#[inline(always)]
pub fn times(pixel: Pixel, by: f32) -> Pixel {
    pixel.map(|value| value * by)
}
