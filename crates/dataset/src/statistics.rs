use serde::{Deserialize, Serialize};

use crate::examples::{Examples, Values};

/// How values become the numbers that a model sees: `[input] normalization = ".."`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// Values as they are: pixels from 0 to 255, features as measured.
    None,
    /// Values divided by 255, for pixels.
    UnitRange,
    /// Zero mean and unit variance a channel, fitted on the training set.
    #[default]
    Standardize,
}

/// The affine map of values to inputs, `(value - shift) / scale`, one pair a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// What is subtracted from each channel.
    pub shift: Vec<f32>,
    /// What each channel is then divided by; never 0.
    pub scale: Vec<f32>,
}

impl Normalization {
    /// Fits the map on `examples`, which must be the training set alone.
    pub fn fit(self, examples: &Examples) -> Statistics {
        let channels = examples.shape[2];
        let same = |shift, scale| Statistics {
            shift: vec![shift; channels],
            scale: vec![scale; channels],
        };
        match self {
            Self::None => same(0.0, 1.0),
            Self::UnitRange => same(0.0, 255.0),
            Self::Standardize => standardize(examples),
        }
    }
}

fn standardize(examples: &Examples) -> Statistics {
    let channels = examples.shape[2];
    let moments = |channel| match &examples.values {
        Values::Pixels(pixels) => of_pixels(pixels.iter().skip(channel).step_by(channels)),
        Values::Features(features) => of_features(features.iter().skip(channel).step_by(channels)),
    };
    let (shift, scale) = (0..channels).map(moments).unzip();
    Statistics { shift, scale }
}

/// Mean and standard deviation of pixels, from sums without rounding.
fn of_pixels<'a>(pixels: impl Iterator<Item = &'a u8>) -> (f32, f32) {
    let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for &pixel in pixels {
        count += 1;
        sum += u64::from(pixel);
        squares += u64::from(pixel) * u64::from(pixel);
    }
    let mean = sum as f64 / count as f64;
    let variance = squares as f64 / count as f64 - mean * mean;
    (mean as f32, deviation(variance))
}

/// Mean and standard deviation of features, in two passes: their mean may be far from 0.
fn of_features<'a>(features: impl Iterator<Item = &'a f32> + Clone) -> (f32, f32) {
    let count = features.clone().count() as f64;
    let mean = features.clone().map(|&value| f64::from(value)).sum::<f64>() / count;
    let squares = features.map(|&value| (f64::from(value) - mean).powi(2));
    (mean as f32, deviation(squares.sum::<f64>() / count))
}

/// 1 in place of a deviation of 0.
fn deviation(variance: f64) -> f32 {
    let deviation = variance.max(0.0).sqrt() as f32;
    if deviation > 0.0 { deviation } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardised_channels_have_zero_mean_and_unit_variance() {
        let pixels = (0..4 * 5 * 5 * 3).map(|value| (value * 37 % 251) as u8).collect();
        let images = Examples::images([5, 5, 3], pixels, vec![0; 4]);
        let statistics = Normalization::Standardize.fit(&images);
        for channel in 0..3 {
            let pixels = images.gather(&[0, 1, 2, 3]);
            let values = pixels
                .iter()
                .skip(channel)
                .step_by(3)
                .map(|pixel| (pixel - statistics.shift[channel]) / statistics.scale[channel]);
            let values: Vec<f32> = values.collect();
            let mean = values.iter().sum::<f32>() / 100.0;
            let variance = values.iter().map(|value| value * value).sum::<f32>() / 100.0;
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
        }
    }

    #[test]
    fn a_constant_channel_is_divided_by_one() {
        let images = Examples::images([2, 2, 1], vec![7; 4], vec![0]);
        let statistics = Normalization::Standardize.fit(&images);
        assert_eq!((statistics.shift[0], statistics.scale[0]), (7.0, 1.0));
    }

    #[test]
    fn features_are_standardised_each_by_itself() {
        let features = vec![1e6, 1.0, 1e6 + 2.0, 3.0];
        let examples = Examples::features(2, features, vec![0, 1]);
        let statistics = Normalization::Standardize.fit(&examples);
        assert_eq!(statistics.shift, [1e6 + 1.0, 2.0]);
        assert_eq!(statistics.scale, [1.0, 1.0]);
    }
}
