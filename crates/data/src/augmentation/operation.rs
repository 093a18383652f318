use rand::{Rng, RngExt};

use super::affine::Affine;
use super::canvas::Canvas;
use super::colour::Tint;

/// Operation of TrivialAugment, as in torchvision.
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

/// Number of variants of [`Operation`].
const OPERATIONS: u32 = 14;
/// Number of equidistant magnitudes.
const MAGNITUDES: u32 = 31;
/// Maximum shear, rotation in degrees, difference of a factor from 1, and number of bits that
/// posterizing removes.
const MAX_SHEAR: f64 = 0.99;
const MAX_DEGREES: f64 = 135.0;
const MAX_FACTOR: f64 = 0.99;
const MAX_BITS: f64 = 6.0;
/// Maximum translation, as a fraction of height or width.
const MAX_TRANSLATION: f64 = 150.0 / 331.0;

impl Operation {
    /// Samples an operation of random magnitude for an image of `height` and `width`, as torchvision's
    /// `TrivialAugmentWide`, but for translations, which depend on the size of the image.
    pub fn sample([height, width]: [usize; 2], rng: &mut impl Rng) -> Self {
        let operation = rng.random_range(0..OPERATIONS);
        let strength = f64::from(rng.random_range(0..MAGNITUDES)) / f64::from(MAGNITUDES - 1);
        let signed = if rng.random() { strength } else { -strength };
        let pixels = |side: usize| (signed * MAX_TRANSLATION * side as f64).trunc();
        let factor = 1.0 + signed * MAX_FACTOR;
        match operation {
            0 => Self::Identity,
            1 => Self::ShearX(signed * MAX_SHEAR),
            2 => Self::ShearY(signed * MAX_SHEAR),
            3 => Self::TranslateX(pixels(width)),
            4 => Self::TranslateY(pixels(height)),
            5 => Self::Rotate(signed * MAX_DEGREES),
            6 => Self::Brightness(factor),
            7 => Self::Colour(factor),
            8 => Self::Contrast(factor),
            9 => Self::Sharpness(factor),
            10 => Self::Posterize(8 - (strength * MAX_BITS).round() as u32),
            11 => Self::Solarize(255.0 * (1.0 - strength) as f32),
            12 => Self::Autocontrast,
            _ => Self::Equalize,
        }
    }

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
