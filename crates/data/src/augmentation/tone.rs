//! Changes of pixels that are no affine maps, as in Pillow but without rounding.

use super::canvas::{Canvas, WHITE};
use crate::pixel::{add, times, zip};

impl Canvas {
    /// Keeps this number of high bits of each value, rounded before.
    pub fn posterize(&mut self, bits: u32) {
        let mask = !(u8::MAX.checked_shr(bits).unwrap_or(0));
        self.each_value(|value| f32::from(value.round() as u8 & mask));
    }

    /// Inverts values from `threshold` on.
    pub fn solarize(&mut self, threshold: f32) {
        self.each_value(|value| if value < threshold { value } else { WHITE - value });
    }

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
        self.resample();
        self.spare.clone_from(&self.pixels);
        let lines = self.spare.windows(3 * width).step_by(width);
        for (lines, line) in lines.zip(self.pixels.chunks_exact_mut(width).skip(1)) {
            let (above, rest) = lines.split_at(width);
            let (own, below) = rest.split_at(width);
            let around = above.windows(3).zip(own.windows(3)).zip(below.windows(3));
            for (pixel, ((above, own), below)) in line.iter_mut().skip(1).zip(around) {
                let sum = above
                    .iter()
                    .chain(own)
                    .chain(below)
                    .fold(times(*pixel, 4.0), |sum, one| add(sum, *one));
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
