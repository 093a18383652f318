use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::{Examples, Values};
use crate::input::InputConfig;
use crate::moments::ChannelMoments;

/// Normalization of values into model inputs: `[input] normalization = ".."`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// Unchanged values: pixels from 0 to 255, features as measured.
    None,
    /// Values divided by 255, for pixels.
    UnitRange,
    /// Zero mean and unit variance per channel, fitted on the training set.
    #[default]
    Standardize,
    /// Mean and standard deviation of the channels of ImageNet, for colour images.
    Imagenet,
}

/// Affine map of values to inputs, `(value - shift) / scale`, per channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Value subtracted from each channel.
    pub shift: Vec<f32>,
    /// Divisor of each channel, never 0.
    pub scale: Vec<f32>,
}

impl Normalization {
    /// Fits the map on `examples`, which must be the training set only.
    ///
    /// # Errors
    ///
    /// If the source cannot be read or has changed.
    pub fn fit(self, examples: &Examples) -> Result<Statistics, DatasetError> {
        let channels = examples.shape[2];
        let scale = match self {
            Self::None => 1.0,
            Self::UnitRange => 255.0,
            Self::Standardize => return standardize(examples),
            Self::Imagenet => {
                let fixed = InputConfig { normalization: self, ..InputConfig::default() };
                return fixed.fit(examples);
            }
        };
        Ok(Statistics { shift: vec![0.0; channels], scale: vec![scale; channels] })
    }
}

fn standardize(examples: &Examples) -> Result<Statistics, DatasetError> {
    if !examples.are_images() {
        return of_features(examples);
    }
    let count = examples.len() * examples.width() / examples.shape[2].max(1);
    let channels = moments(examples)?.into_iter().map(|channel| {
        let (mean, variance) = channel.mean_and_variance(count);
        (mean as f32, deviation(variance))
    });
    let (shift, scale) = channels.unzip();
    Ok(Statistics { shift, scale })
}

/// Moments of each channel over all images.
fn moments(images: &Examples) -> Result<Vec<ChannelMoments>, DatasetError> {
    let channels = images.shape[2];
    if let Values::Stored(rows) = &images.values
        && let Some(moments) = rows.moments(channels)
    {
        return Ok(moments);
    }
    let mut moments = vec![ChannelMoments::default(); channels];
    images.each_block(|block| {
        if let Values::Pixels(pixels) = &block.values {
            ChannelMoments::add_pixels(&mut moments, pixels);
        }
    })?;
    Ok(moments)
}

/// Standardizes features, in two passes: their mean may be far from 0.
fn of_features(examples: &Examples) -> Result<Statistics, DatasetError> {
    let (count, width) = (examples.len() as f64, examples.width());
    let mut means = vec![0.0; width];
    each_row(examples, |row| {
        means.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    })?;
    means.iter_mut().for_each(|sum| *sum /= count);
    let mut squares = vec![0.0; width];
    each_row(examples, |row| {
        let deviations = row.iter().zip(&means).map(|(&value, mean)| f64::from(value) - mean);
        squares.iter_mut().zip(deviations).for_each(|(sum, by)| *sum += by.powi(2));
    })?;
    Ok(Statistics {
        shift: means.into_iter().map(|mean| mean as f32).collect(),
        scale: squares.into_iter().map(|sum| deviation(sum / count)).collect(),
    })
}

fn each_row(examples: &Examples, mut visit: impl FnMut(&[f32])) -> Result<(), DatasetError> {
    let width = examples.width().max(1);
    examples.each_block(|block| {
        if let Values::Features(features) = &block.values {
            features.chunks_exact(width).for_each(&mut visit);
        }
    })
}

/// Returns the standard deviation, or 1 if it is 0.
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
        let statistics = Normalization::Standardize.fit(&images).unwrap();
        for channel in 0..3 {
            let pixels = images.gather(&[0, 1, 2, 3]).unwrap();
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
        let statistics = Normalization::Standardize.fit(&images).unwrap();
        assert_eq!((statistics.shift[0], statistics.scale[0]), (7.0, 1.0));
    }

    #[test]
    fn each_feature_is_standardised_separately() {
        let features = vec![1e6, 1.0, 1e6 + 2.0, 3.0];
        let examples = Examples::features(2, features, vec![0, 1]);
        let statistics = Normalization::Standardize.fit(&examples).unwrap();
        assert_eq!(statistics.shift, [1e6 + 1.0, 2.0]);
        assert_eq!(statistics.scale, [1.0, 1.0]);
    }
}
