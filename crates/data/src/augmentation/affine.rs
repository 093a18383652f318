use std::ops::Range;

use super::region::Region;

/// Affine map from a point of the changed image to its origin in the source, `[x, y, 1]` to `[x', y']`,
/// both in pixels from the centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Coefficients of x'.
    pub x: [f64; 3],
    /// Coefficients of y'.
    pub y: [f64; 3],
}

impl Default for Affine {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Affine {
    /// The identity.
    pub const IDENTITY: Self = Self { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] };

    /// Applies this change first and then `next`: points of the last image are mapped to the one before.
    pub fn then(self, next: Self) -> Self {
        let row = |[x, y, one]: [f64; 3]| {
            let through = |at: fn(&[f64; 3]) -> f64| x * at(&next.x) + y * at(&next.y);
            [through(|row| row[0]), through(|row| row[1]), through(|row| row[2]) + one]
        };
        Self { x: row(self.x), y: row(self.y) }
    }

    /// Horizontal flip.
    pub fn flip_horizontal() -> Self {
        Self { x: [-1.0, 0.0, 0.0], ..Self::IDENTITY }
    }

    /// Vertical flip.
    pub fn flip_vertical() -> Self {
        Self { y: [0.0, -1.0, 0.0], ..Self::IDENTITY }
    }

    /// Counter-clockwise rotation by `degrees`.
    pub fn rotate(degrees: f64) -> Self {
        // Rounded so that the cosine of 90 degrees is 0.
        let round = |value: f64| (value * 2_f64.powi(32)).round() / 2_f64.powi(32);
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let (sine, cosine) = (round(sine), round(cosine));
        Self { x: [cosine, -sine, 0.0], y: [sine, cosine, 0.0] }
    }

    /// Magnification by `factor`.
    pub fn scale(factor: f64) -> Self {
        Self { x: [1.0 / factor, 0.0, 0.0], y: [0.0, 1.0 / factor, 0.0] }
    }

    /// Horizontal shear about the top left corner of an image of `height`: the content of a row moves to
    /// the left by `factor` times its distance from the top.
    pub fn shear_x(factor: f64, height: usize) -> Self {
        Self { x: [1.0, factor, factor * height as f64 / 2.0], ..Self::IDENTITY }
    }

    /// Vertical shear about the top left corner of an image of `width`.
    pub fn shear_y(factor: f64, width: usize) -> Self {
        Self { y: [factor, 1.0, factor * width as f64 / 2.0], ..Self::IDENTITY }
    }

    /// Magnification of `part` to an image of `height` and `width`.
    pub fn crop([height, width]: [usize; 2], part: &Region) -> Self {
        let [height, width] = [height, width].map(|side| side as f64);
        let middle = |range: &Range<usize>| (range.start + range.end) as f64 / 2.0;
        Self {
            x: [part.columns.len() as f64 / width, 0.0, middle(&part.columns) - width / 2.0],
            y: [0.0, part.rows.len() as f64 / height, middle(&part.rows) - height / 2.0],
        }
    }

    /// Translation by a number of pixels to the right and down.
    pub fn translate(right: f64, down: f64) -> Self {
        Self { x: [1.0, 0.0, -right], y: [0.0, 1.0, -down] }
    }
}
