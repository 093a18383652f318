use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::{Examples, Values};

/// How values become the numbers that a model sees: `[input] normalization = ".."`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
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
    ///
    /// # Errors
    ///
    /// If they lie in a file that cannot be read.
    pub fn fit(self, examples: &Examples) -> Result<Statistics, DatasetError> {
        let channels = examples.shape[2];
        let same = |shift, scale| Statistics {
            shift: vec![shift; channels],
            scale: vec![scale; channels],
        };
        match self {
            Self::None => Ok(same(0.0, 1.0)),
            Self::UnitRange => Ok(same(0.0, 255.0)),
            Self::Standardize => standardize(examples),
        }
    }
}

fn standardize(examples: &Examples) -> Result<Statistics, DatasetError> {
    let mut moments = vec![Moments::default(); examples.shape[2]];
    match &examples.values {
        Values::Features(_) => return of_features(examples),
        Values::Stored(stored) if !stored.are_pixels() => return of_features(examples),
        Values::Stored(stored) => moments = stored.moments(examples.len()),
        Values::Pixels(pixels) => add(pixels, &mut moments),
    }
    let count = examples.len() * examples.width() / examples.shape[2].max(1);
    let (shift, scale) = moments.into_iter().map(|moments| moments.of(count)).unzip();
    Ok(Statistics { shift, scale })
}

/// The sum of pixels of one channel, and that of their squares: nothing is rounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moments {
    sum: u64,
    squares: u64,
}

impl Moments {
    /// Counts those of other pixels in.
    pub fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// Mean and standard deviation of so many pixels.
    fn of(self, count: usize) -> (f32, f32) {
        let mean = self.sum as f64 / count as f64;
        let variance = self.squares as f64 / count as f64 - mean * mean;
        (mean as f32, deviation(variance))
    }
}

/// About how many pixels are added side by side: enough for the widest vectors.
const LANES: usize = 96;
/// So many squares of pixels fit into 32 bits.
const MOST: usize = 1 << 16;

/// Counts `pixels`, whose channels lie side by side, into the moments of each channel.
pub(crate) fn add(pixels: &[u8], moments: &mut [Moments]) {
    let channels = moments.len().max(1);
    let lanes = channels * (LANES / channels).max(1);
    for pixels in pixels.chunks(lanes * MOST) {
        let mut sums = vec![[0_u32; 2]; lanes];
        for pixels in pixels.chunks(lanes) {
            for ([sum, squares], &pixel) in sums.iter_mut().zip(pixels) {
                *sum += u32::from(pixel);
                *squares += u32::from(pixel) * u32::from(pixel);
            }
        }
        for (lane, [sum, squares]) in sums.into_iter().enumerate() {
            if let Some(moments) = moments.get_mut(lane % channels) {
                moments.add(Moments { sum: sum.into(), squares: squares.into() });
            }
        }
    }
}

/// Of features, in two passes: their mean may be far from 0.
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
    fn features_are_standardised_each_by_itself() {
        let features = vec![1e6, 1.0, 1e6 + 2.0, 3.0];
        let examples = Examples::features(2, features, vec![0, 1]);
        let statistics = Normalization::Standardize.fit(&examples).unwrap();
        assert_eq!(statistics.shift, [1e6 + 1.0, 2.0]);
        assert_eq!(statistics.scale, [1.0, 1.0]);
    }
}
