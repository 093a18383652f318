//! Colour changes as random affine maps of colours.

use rand::{Rng, RngExt};

use super::canvas::{Canvas, Pixel, WHITE, add, padded, times};
use super::spec::Augmentation;

type Vector = [f64; 3];

/// Affine map of colours: coefficients and offset of each channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tint {
    rows: [Vector; 3],
    offset: Vector,
}

/// Coefficients of red, green and blue in Y, I and Q (NTSC 1953).
const LUMA: Vector = [0.299, 0.587, 0.114];
const IN_PHASE: Vector = [0.595_716, -0.274_453, -0.321_263];
const QUADRATURE: Vector = [0.211_456, -0.522_591, 0.311_135];
/// Coefficients of I and Q in red, green and blue.
const OF_IN_PHASE: Vector = [0.956_3, -0.272_1, -1.107_0];
const OF_QUADRATURE: Vector = [0.621_0, -0.647_4, 1.704_6];

impl Augmentation {
    /// Samples the map for an image of `channels` with this mean `grey`; `None` if this is not a colour
    /// change.
    pub fn tint(self, grey: f64, channels: usize, rng: &mut impl Rng) -> Option<Tint> {
        let mut around = |middle: f64, by: f64| rng.random_range(middle - by..=middle + by);
        Some(match self {
            Self::Brightness(by) => Tint::scale(around(1.0, by), 0.0),
            Self::Contrast(by) => Tint::scale(around(1.0, by), grey),
            Self::Saturation(by) => Tint::saturate(around(1.0, by), channels),
            Self::Hue(degrees) => Tint::turn(around(0.0, degrees)),
            _ => return None,
        })
    }

    /// Returns whether this is a colour change.
    pub fn is_colour(self) -> bool {
        matches!(self, Self::Brightness(_) | Self::Contrast(_) | Self::Saturation(_) | Self::Hue(_))
    }
}

impl Tint {
    const IDENTITY: Self =
        Self { rows: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], offset: [0.0; 3] };

    /// Multiplies the distance from `grey` by `factor`.
    pub fn scale(factor: f64, grey: f64) -> Self {
        let rows = Self::IDENTITY.rows.map(|row| row.map(|one| one * factor));
        Self { rows, offset: [grey * (1.0 - factor); 3] }
    }

    /// Multiplies the distance from the grey value of a colour by `factor`. Images of other than 3
    /// `channels` are grey.
    pub fn saturate(factor: f64, channels: usize) -> Self {
        if channels != 3 {
            return Self::IDENTITY;
        }
        let [r, g, b] = LUMA.map(|luma| luma * (1.0 - factor));
        let rows = [[r + factor, g, b], [r, g + factor, b], [r, g, b + factor]];
        Self { rows, offset: [0.0; 3] }
    }

    /// Rotates about the grey axis of YIQ: `P + cos (1 - P) + sin B`, with `P` the projection on that
    /// axis and `B` a rotation by 90 degrees, written so that 0 degrees are the identity to the bit.
    fn turn(degrees: f64) -> Self {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let mut rows = Self::IDENTITY.rows;
        let onto = OF_IN_PHASE.into_iter().zip(OF_QUADRATURE);
        for (row, (of_in_phase, of_quadrature)) in rows.iter_mut().zip(onto) {
            let identity = *row;
            let from = LUMA.into_iter().zip(IN_PHASE).zip(QUADRATURE).zip(identity);
            for (value, (((luma, in_phase), quadrature), one)) in row.iter_mut().zip(from) {
                let quarter = of_quadrature * in_phase - of_in_phase * quadrature;
                *value += (cosine - 1.0) * (one - luma) + sine * quarter;
            }
        }
        Self { rows, offset: [0.0; 3] }
    }

    /// Applies this map first and then `next`.
    fn then(self, next: Self) -> Self {
        let columns = transposed(self.rows);
        let rows = next.rows.map(|row| columns.map(|column| dot(row, column)));
        Self { rows, offset: next.of(self.offset) }
    }

    /// Maps a colour.
    fn of(&self, colour: Vector) -> Vector {
        let [r, g, b] = self.rows.map(|row| dot(row, colour));
        let [more_r, more_g, more_b] = self.offset;
        [r + more_r, g + more_g, b + more_b]
    }

    /// Contribution of each channel to a pixel, and the offset.
    fn columns(&self) -> [Pixel; 4] {
        let [red, green, blue] = transposed(self.rows);
        [red, green, blue, self.offset].map(|values| padded(values.map(|value| value as f32)))
    }
}

fn transposed([[a, b, c], [d, e, f], [g, h, i]]: [Vector; 3]) -> [Vector; 3] {
    [[a, d, g], [b, e, h], [c, f, i]]
}

impl Canvas {
    /// Samples `changes` and applies them as one map.
    pub fn tint(&mut self, changes: &[Augmentation], rng: &mut impl Rng) {
        let needs_mean = changes.iter().any(|change| matches!(change, Augmentation::Contrast(_)));
        let mean = if needs_mean { self.mean() } else { [0.0; 3] };
        let mut all = Tint::IDENTITY;
        for change in changes {
            let grey = self.grey(all.of(mean));
            all = change.tint(grey, self.channels, rng).map_or(all, |tint| all.then(tint));
        }
        self.recolour(all);
    }

    /// Maps all colours and clamps them.
    pub fn recolour(&mut self, tint: Tint) {
        if tint != Tint::IDENTITY {
            let columns = tint.columns();
            pulp::Arch::new().dispatch(|| recolour(self.settled(), columns));
        }
    }

    /// Mean of each channel.
    pub fn mean(&mut self) -> Vector {
        let mut sum = [0.0_f64; 3];
        let width = self.size[1].max(1);
        // Pixels of a row are added in f32, which is fast and accurate enough for a row.
        for row in self.settled().chunks(width) {
            let [r, g, b, _] = row.iter().fold([0.0; 4], |sum: Pixel, pixel| add(sum, *pixel));
            sum.iter_mut().zip([r, g, b]).for_each(|(sum, value)| *sum += f64::from(value));
        }
        sum.map(|sum| sum / self.pixels.len().max(1) as f64)
    }

    /// Grey value of a colour.
    pub fn grey(&self, colour: Vector) -> f64 {
        if self.channels == 3 { dot(LUMA, colour) } else { colour[0] }
    }
}

#[inline(always)]
fn recolour(pixels: &mut [Pixel], [red, green, blue, more]: [Pixel; 4]) {
    for pixel in pixels {
        let [r, g, b, _] = *pixel;
        let sum = add(add(add(times(red, r), times(green, g)), times(blue, b)), more);
        *pixel = sum.map(|value| value.clamp(0.0, WHITE));
    }
}

fn dot([a, b, c]: Vector, [x, y, z]: Vector) -> f64 {
    a * x + b * y + c * z
}
