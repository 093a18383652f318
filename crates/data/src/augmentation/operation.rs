use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::affine::Affine;
use super::canvas::Canvas;
use super::colour::Tint;

/// Operation of TrivialAugment and RandAugment, as in torchvision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// Nothing.
    Identity,
    /// Horizontal shear about the top left corner.
    ShearX(f64),
    /// Vertical shear about the top left corner.
    ShearY(f64),
    /// Translation to the right, in pixels.
    TranslateX(f64),
    /// Translation down, in pixels.
    TranslateY(f64),
    /// Counter-clockwise rotation, in degrees.
    Rotate(f64),
    /// Multiplication by a factor.
    Brightness(f64),
    /// Multiplication of the distance from the grey value of each pixel by a factor.
    Colour(f64),
    /// Multiplication of the distance from the mean grey by a factor.
    Contrast(f64),
    /// Multiplication of the distance from the smoothed image by a factor.
    Sharpness(f64),
    /// This number of high bits kept.
    Posterize(u32),
    /// Inversion of values from this one on.
    Solarize(f32),
    /// Stretching of each channel to the range from 0 to 255.
    Autocontrast,
    /// Equalization of the histogram of each channel.
    Equalize,
}

/// For example `{ rand_augment = { magnitude = 5 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandAugment {
    /// Number of operations per image.
    #[schemars(range(min = 1, max = 14))]
    pub operations: usize,
    /// Magnitude of the operations.
    #[schemars(range(min = 0, max = 30))]
    pub magnitude: u32,
}

impl Default for RandAugment {
    fn default() -> Self {
        Self { operations: 2, magnitude: 9 }
    }
}

impl RandAugment {
    /// Sampler of the operations.
    pub fn policy(self) -> Policy {
        Policy::rand(self.operations, self.magnitude)
    }
}

/// Number of variants of [`Operation`].
const OPERATIONS: u32 = 14;
/// Number of equidistant magnitudes.
const MAGNITUDES: u32 = 31;
/// Maximum translation, as a fraction of height or width.
const MAX_TRANSLATION: f64 = 150.0 / 331.0;

/// Sampler of operations: their number, and the parameters at the largest magnitude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Number of operations per image.
    operations: usize,
    /// Magnitude from 0 to 30; `None` for random ones.
    magnitude: Option<u32>,
    shear: f64,
    degrees: f64,
    /// Difference of a factor from 1.
    factor: f64,
    /// Number of bits that posterizing removes.
    bits: f64,
}

impl Policy {
    /// One operation of random magnitude: `TrivialAugmentWide` of torchvision, but translations depend on
    /// the size of the image, as in RandAugment.
    pub const TRIVIAL: Self = Self {
        operations: 1,
        magnitude: None,
        shear: 0.99,
        degrees: 135.0,
        factor: 0.99,
        bits: 6.0,
    };

    /// Several operations of one magnitude: `RandAugment` of torchvision.
    pub const fn rand(operations: usize, magnitude: u32) -> Self {
        let magnitude = Some(magnitude);
        Self { operations, magnitude, shear: 0.3, degrees: 30.0, factor: 0.9, bits: 4.0 }
    }

    /// Samples operations and applies them in turn.
    pub fn apply(&self, canvas: &mut Canvas, rng: &mut impl Rng) {
        (0..self.operations).for_each(|_| self.sample(canvas.size, rng).apply(canvas));
    }

    /// Samples an operation for an image of `height` and `width`.
    pub fn sample(&self, [height, width]: [usize; 2], rng: &mut impl Rng) -> Operation {
        let operation = rng.random_range(0..OPERATIONS);
        let magnitude = self.magnitude.unwrap_or_else(|| rng.random_range(0..MAGNITUDES));
        let strength = f64::from(magnitude) / f64::from(MAGNITUDES - 1);
        let signed = if rng.random() { strength } else { -strength };
        let pixels = |side: usize| (signed * MAX_TRANSLATION * side as f64).trunc();
        let factor = 1.0 + signed * self.factor;
        match operation {
            0 => Operation::Identity,
            1 => Operation::ShearX(signed * self.shear),
            2 => Operation::ShearY(signed * self.shear),
            3 => Operation::TranslateX(pixels(width)),
            4 => Operation::TranslateY(pixels(height)),
            5 => Operation::Rotate(signed * self.degrees),
            6 => Operation::Brightness(factor),
            7 => Operation::Colour(factor),
            8 => Operation::Contrast(factor),
            9 => Operation::Sharpness(factor),
            10 => Operation::Posterize(8 - (strength * self.bits).round() as u32),
            11 => Operation::Solarize(255.0 * (1.0 - strength) as f32),
            12 => Operation::Autocontrast,
            _ => Operation::Equalize,
        }
    }
}

impl Operation {
    /// Applies the operation. Geometric ones are left to the next resampling.
    pub fn apply(self, canvas: &mut Canvas) {
        let [height, width] = canvas.size;
        match self {
            Self::Identity => {}
            Self::ShearX(factor) => canvas.transform(Affine::shear_x(factor, height)),
            Self::ShearY(factor) => canvas.transform(Affine::shear_y(factor, width)),
            Self::TranslateX(right) => canvas.transform(Affine::translate(right, 0.0)),
            Self::TranslateY(down) => canvas.transform(Affine::translate(0.0, down)),
            Self::Rotate(degrees) => canvas.transform(Affine::rotate(degrees)),
            Self::Brightness(factor) => canvas.recolour(Tint::scale(factor, 0.0)),
            Self::Colour(factor) => canvas.recolour(Tint::saturate(factor, canvas.channels)),
            Self::Contrast(factor) => {
                let grey = canvas.mean_grey();
                canvas.recolour(Tint::scale(factor, grey));
            }
            Self::Sharpness(factor) => canvas.sharpen(factor as f32),
            Self::Posterize(bits) => canvas.posterize(bits),
            Self::Solarize(threshold) => canvas.solarize(threshold),
            Self::Autocontrast => canvas.autocontrast(),
            Self::Equalize => canvas.equalize(),
        }
    }
}
