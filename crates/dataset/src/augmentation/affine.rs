/// Where in the source a point of the changed image comes from, both in pixels from their centres:
/// `[x, y, 1]` to `[x', y']`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// The coefficients of x'.
    pub x: [f64; 3],
    /// The coefficients of y'.
    pub y: [f64; 3],
}

impl Affine {
    /// Every point stays.
    pub const IDENTITY: Self = Self { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] };

    /// This first, and then `next`: a point of the last image is looked up in the one before.
    pub fn then(self, next: Self) -> Self {
        let row = |[x, y, one]: [f64; 3]| {
            let through = |at: fn(&[f64; 3]) -> f64| x * at(&next.x) + y * at(&next.y);
            [through(|row| row[0]), through(|row| row[1]), through(|row| row[2]) + one]
        };
        Self { x: row(self.x), y: row(self.y) }
    }

    /// Left and right exchanged.
    pub fn flip_horizontal() -> Self {
        Self { x: [-1.0, 0.0, 0.0], ..Self::IDENTITY }
    }

    /// Top and bottom exchanged.
    pub fn flip_vertical() -> Self {
        Self { y: [0.0, -1.0, 0.0], ..Self::IDENTITY }
    }

    /// Turned by so many degrees, against the clock.
    pub fn rotate(degrees: f64) -> Self {
        // Rounded so that a quarter turn has a cosine of 0.
        let round = |value: f64| (value * 2_f64.powi(32)).round() / 2_f64.powi(32);
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let (sine, cosine) = (round(sine), round(cosine));
        Self { x: [cosine, -sine, 0.0], y: [sine, cosine, 0.0] }
    }

    /// Magnified by `factor`.
    pub fn scale(factor: f64) -> Self {
        Self { x: [1.0 / factor, 0.0, 0.0], y: [0.0, 1.0 / factor, 0.0] }
    }

    /// Moved by so many pixels to the right and down.
    pub fn translate(right: f64, down: f64) -> Self {
        Self { x: [1.0, 0.0, -right], y: [0.0, 1.0, -down] }
    }
}
