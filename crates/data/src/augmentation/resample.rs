use super::affine::Affine;
use super::canvas::Canvas;
use crate::pixel::Pixel;

impl Canvas {
    /// Applies all geometric changes, with bilinear interpolation and repeated edges.
    pub fn resample(&mut self) {
        let map = std::mem::take(&mut self.map);
        if map == Affine::IDENTITY || self.pixels.is_empty() {
            return;
        }
        self.pad();
        pulp::Arch::new().dispatch(|| self.sample(map));
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
fn blend([a, b, c, d]: Pixel, [to_a, to_b, to_c, to_d]: Pixel, by: f32) -> Pixel {
    [a + (to_a - a) * by, b + (to_b - b) * by, c + (to_c - c) * by, d + (to_d - d) * by]
}
