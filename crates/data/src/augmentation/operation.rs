//! Operations of TrivialAugment. Changes of pixels are those of Pillow, but without rounding.

use rand::{Rng, RngExt};

use super::canvas::{Canvas, WHITE, add, times, zip};
use super::colour::Tint;
use super::geometry::Affine;

/// Operation as in torchvision, with its parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    Identity,
    /// Shears about the top left corner.
    ShearX(f64),
    ShearY(f64),
    /// Translations to the right and down, in pixels.
    TranslateX(f64),
    TranslateY(f64),
    /// Counter-clockwise rotation, in degrees.
    Rotate(f64),
    /// Factors of the values, and of their distances from the grey value of each pixel, the mean grey, and
    /// the smoothed image.
    Brightness(f64),
    Colour(f64),
    Contrast(f64),
    Sharpness(f64),
    /// This number of high bits kept, after rounding.
    Posterize(u32),
    /// Inversion of values from this one on.
    Solarize(f32),
    Autocontrast,
    Equalize,
}

/// Number of variants of [`Operation`].
const OPERATIONS: u32 = 14;
/// Number of equidistant magnitudes.
const MAGNITUDES: u32 = 31;
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
        let factor = 1.0 + signed * 0.99;
        match operation {
            0 => Self::Identity,
            1 => Self::ShearX(signed * 0.99),
            2 => Self::ShearY(signed * 0.99),
            3 => Self::TranslateX(pixels(width)),
            4 => Self::TranslateY(pixels(height)),
            5 => Self::Rotate(signed * 135.0),
            6 => Self::Brightness(factor),
            7 => Self::Colour(factor),
            8 => Self::Contrast(factor),
            9 => Self::Sharpness(factor),
            10 => Self::Posterize(8 - (strength * 6.0).round() as u32),
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
                let mean = canvas.mean();
                canvas.recolour(Tint::scale(factor, canvas.grey(mean)));
            }
            Self::Sharpness(factor) => canvas.sharpen(factor as f32),
            Self::Posterize(bits) => {
                let mask = !(u8::MAX.checked_shr(bits).unwrap_or(0));
                canvas.each_value(|value| f32::from(value.round() as u8 & mask));
            }
            Self::Solarize(threshold) => {
                canvas.each_value(|value| if value < threshold { value } else { WHITE - value });
            }
            Self::Autocontrast => canvas.autocontrast(),
            Self::Equalize => canvas.equalize(),
        }
    }
}

impl Canvas {
    /// Stretches each channel that is not constant to the range from 0 to 255.
    pub fn autocontrast(&mut self) {
        let pixels = self.settled();
        let extreme = |of: fn(f32, f32) -> f32, start: f32| {
            pixels.iter().fold([start; 4], |extreme, pixel| zip(extreme, *pixel, of))
        };
        let (least, most) = (extreme(f32::min, WHITE), extreme(f32::max, 0.0));
        let factor =
            zip(least, most, |least, most| if most > least { WHITE / (most - least) } else { 1.0 });
        let shift = zip(least, most, |least, most| if most > least { least } else { 0.0 });
        for pixel in pixels {
            let above = zip(*pixel, shift, |value, shift| value - shift);
            *pixel = zip(above, factor, |value, factor| (value * factor).min(WHITE));
        }
    }

    /// Makes the values of each channel, rounded before, equally frequent. Changes no channel of fewer than
    /// 256 pixels.
    pub fn equalize(&mut self) {
        let channels = self.channels;
        let pixels = self.settled();
        for channel in 0..channels {
            let mut counts = [0; 256];
            for value in pixels.iter().filter_map(|pixel| pixel.get(channel)) {
                if let Some(count) = counts.get_mut(level(*value)) {
                    *count += 1;
                }
            }
            let Some(table) = equalizing(counts) else { continue };
            for value in pixels.iter_mut().filter_map(|pixel| pixel.get_mut(channel)) {
                *value = table.get(level(*value)).copied().unwrap_or(*value);
            }
        }
    }

    /// Multiplies the distance from the smoothed image by `factor`, except at the edges.
    pub fn sharpen(&mut self, factor: f32) {
        let [height, width] = self.size;
        if height < 3 || width < 3 {
            return;
        }
        self.settled();
        self.spare.clone_from(&self.pixels);
        let lines = self.spare.windows(3 * width).step_by(width);
        for (lines, line) in lines.zip(self.pixels.chunks_exact_mut(width).skip(1)) {
            let (above, rest) = lines.split_at(width);
            let (own, below) = rest.split_at(width);
            let around = above.windows(3).zip(own.windows(3)).zip(below.windows(3));
            for (pixel, ((above, own), below)) in line.iter_mut().skip(1).zip(around) {
                let window = above.iter().chain(own).chain(below);
                let sum = window.fold(times(*pixel, 4.0), |sum, one| add(sum, *one));
                let smooth = times(sum, 1.0 / 13.0);
                let sharp = add(times(*pixel, factor), times(smooth, 1.0 - factor));
                *pixel = sharp.map(|value| value.clamp(0.0, WHITE));
            }
        }
    }

    fn each_value(&mut self, map: impl Fn(f32) -> f32) {
        self.settled().iter_mut().for_each(|pixel| *pixel = pixel.map(&map));
    }
}

/// Index of the level nearest to a value.
fn level(value: f32) -> usize {
    usize::from(value.round() as u8)
}

/// The new value of each level, which as many pixels have as `counts` says; `None` for no change.
fn equalizing(counts: [u32; 256]) -> Option<[f32; 256]> {
    let last = counts.iter().rfind(|count| **count > 0)?;
    let step = (counts.iter().sum::<u32>() - last) / 255;
    let mut before = step / 2;
    (step > 0).then(|| {
        counts.map(|count| {
            let value = (before / step) as f32;
            before += count;
            value.min(WHITE)
        })
    })
}
