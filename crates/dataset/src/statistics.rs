use serde::{Deserialize, Serialize};

use crate::images::LabelledImages;

/// How pixels become the numbers that a model sees: `[input] normalization = ".."`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// Pixels as they are, 0 to 255.
    None,
    /// Pixels divided by 255.
    UnitRange,
    /// Zero mean and unit variance a channel, fitted on the training set.
    #[default]
    Standardize,
}

/// The affine map of pixels to inputs, `(pixel - shift) / scale`, one pair a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// What is subtracted from each channel.
    pub shift: Vec<f32>,
    /// What each channel is then divided by; never 0.
    pub scale: Vec<f32>,
}

impl Normalization {
    /// Fits the map on `images`, which must be the training set alone.
    pub fn fit(self, images: &LabelledImages) -> Statistics {
        let channels = images.shape[2];
        let same = |shift, scale| Statistics {
            shift: vec![shift; channels],
            scale: vec![scale; channels],
        };
        match self {
            Self::None => same(0.0, 1.0),
            Self::UnitRange => same(0.0, 255.0),
            Self::Standardize => standardize(images),
        }
    }
}

fn standardize(images: &LabelledImages) -> Statistics {
    let (shift, scale) = (0..images.shape[2]).map(|channel| moments(images, channel)).unzip();
    Statistics { shift, scale }
}

/// Mean and standard deviation of a channel; 1 in place of a deviation of 0.
fn moments(images: &LabelledImages, channel: usize) -> (f32, f32) {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for &pixel in images.pixels.iter().skip(channel).step_by(images.shape[2]) {
        sum += u64::from(pixel);
        squares += u64::from(pixel) * u64::from(pixel);
    }
    let count = (images.pixels.len() / images.shape[2]) as f64;
    let mean = sum as f64 / count;
    let deviation = (squares as f64 / count - mean * mean).max(0.0).sqrt();
    (mean as f32, if deviation > 0.0 { deviation as f32 } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardised_channels_have_zero_mean_and_unit_variance() {
        let pixels = (0..4 * 5 * 5 * 3).map(|value| (value * 37 % 251) as u8).collect();
        let images = LabelledImages { shape: [5, 5, 3], pixels, labels: vec![0; 4] };
        let statistics = Normalization::Standardize.fit(&images);
        for channel in 0..3 {
            let values = images.pixels.iter().skip(channel).step_by(3).map(|&pixel| {
                (f32::from(pixel) - statistics.shift[channel]) / statistics.scale[channel]
            });
            let values: Vec<f32> = values.collect();
            let mean = values.iter().sum::<f32>() / 100.0;
            let variance = values.iter().map(|value| value * value).sum::<f32>() / 100.0;
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
        }
    }

    #[test]
    fn a_constant_channel_is_divided_by_one() {
        let images = LabelledImages { shape: [2, 2, 1], pixels: vec![7; 4], labels: vec![0] };
        let statistics = Normalization::Standardize.fit(&images);
        assert_eq!((statistics.shift[0], statistics.scale[0]), (7.0, 1.0));
    }
}
