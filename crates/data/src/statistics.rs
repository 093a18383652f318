//! Normalization of values into model inputs: its config, its statistics, and its application.

use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::{Examples, Values};

/// Preprocessing of the inputs: `[input]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InputConfig {
    /// Normalization of the values.
    pub normalization: Normalization,
    /// Fixed mean of each channel of images with values from 0 to 1, in place of the fitted one; with
    /// `deviation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 3), inner(range(min = 0, max = 1)))]
    pub mean: Option<Vec<f64>>,
    /// Fixed standard deviation of each channel of images with values from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 3), inner(range(min = 0.001, max = 1)))]
    pub deviation: Option<Vec<f64>>,
}

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

/// Mean and standard deviation of the channels of ImageNet, as torchvision uses them.
const IMAGENET: [[f64; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

impl InputConfig {
    /// The map of values to inputs, fitted on `train` unless it is fixed. Fails if the source of `train`
    /// cannot be read or has changed, or if a fixed map does not suit it.
    pub fn fit(&self, train: &Examples) -> Result<Statistics, DatasetError> {
        let Some([mean, deviation]) = self.fixed() else { return self.normalization.fit(train) };
        self.check_against(train)?;
        let pixels = |values: &[f64]| values.iter().map(|value| (255.0 * value) as f32).collect();
        Ok(Statistics { shift: pixels(mean), scale: pixels(deviation) })
    }

    /// Returns true if the map is the same for all data.
    pub fn is_fixed(&self) -> bool {
        self.fixed().is_some()
    }

    /// Fixed mean and standard deviation of each channel.
    fn fixed(&self) -> Option<[&[f64]; 2]> {
        match (&self.mean, &self.deviation) {
            (Some(mean), Some(deviation)) => Some([mean, deviation]),
            _ if self.normalization == Normalization::Imagenet => {
                Some(IMAGENET.each_ref().map(|values| values.as_slice()))
            }
            _ => None,
        }
    }

    /// Reports invalid values.
    pub fn check(&self, check: &mut Check) {
        let lengths = [&self.mean, &self.deviation].map(|values| values.as_ref().map(Vec::len));
        let message = "give `mean` and `deviation`, one number per channel in each, or neither";
        check.require("mean", lengths[0] == lengths[1], message);
        check.require(
            "normalization",
            lengths[0].is_none() || self.normalization == Normalization::default(),
            "`mean` and `deviation` replace it: remove either",
        );
    }

    /// Fails if a fixed normalization does not suit `examples`: they are not images, or of another number of
    /// channels.
    pub fn check_against(&self, examples: &Examples) -> Result<(), DatasetError> {
        let Some([mean, _]) = self.fixed() else { return Ok(()) };
        let ([.., channels], fixed) = (examples.shape, mean.len());
        if examples.are_images() && channels == fixed {
            return Ok(());
        }
        let found = match examples.are_images() {
            true if channels == 1 => "one channel".to_owned(),
            true => format!("{channels} channels"),
            false => format!("{channels} features"),
        };
        Err(DatasetError::Unsuitable(format!(
            "`input` has a fixed mean and deviation of {fixed} channels of images, and the examples \
             have {found}\n  change `mean` and `deviation`, or set `normalization = \"standardize\"`"
        )))
    }
}

impl Normalization {
    /// Fits the map on `examples`, which must be the training set only. Fails if their source cannot be
    /// read or has changed.
    pub fn fit(self, examples: &Examples) -> Result<Statistics, DatasetError> {
        let channels = examples.shape[2];
        let scale = match self {
            Self::None => 1.0,
            Self::UnitRange => 255.0,
            Self::Standardize if examples.are_images() => return of_images(examples),
            Self::Standardize => return of_features(examples),
            Self::Imagenet => {
                let fixed = InputConfig { normalization: self, ..InputConfig::default() };
                return fixed.fit(examples);
            }
        };
        Ok(Statistics { shift: vec![0.0; channels], scale: vec![scale; channels] })
    }
}

/// Standardizes each channel of images.
fn of_images(images: &Examples) -> Result<Statistics, DatasetError> {
    let channels = images.shape[2];
    let count = images.len() * images.width() / channels.max(1);
    let known = match &images.values {
        Values::Stored(rows) => rows.moments(channels),
        Values::Pixels(_) | Values::Features(_) => None,
    };
    let mut moments = vec![ChannelMoments::default(); channels];
    match known {
        Some(known) => moments = known,
        None => images.each_block(|block| {
            if let Values::Pixels(pixels) = &block.values {
                ChannelMoments::add_pixels(&mut moments, pixels);
            }
        })?,
    }
    let (shift, scale) = moments.into_iter().map(|channel| channel.shift_and_scale(count)).unzip();
    Ok(Statistics { shift, scale })
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

/// Sum and sum of squares of the pixels of one channel, exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelMoments {
    sum: u64,
    squares: u64,
}

/// Approximate number of pixels that are added side by side: enough for the widest vectors.
const LANES: usize = 96;
/// Number of squared pixels whose sum fits into 32 bits.
const MAX_SUMMED: usize = 1 << 16;

impl ChannelMoments {
    /// Adds the moments of other pixels.
    pub fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// Adds `pixels`, interleaved by channel, to the moments of each channel.
    pub fn add_pixels(channels: &mut [Self], pixels: &[u8]) {
        let count = channels.len().max(1);
        let lanes = count * (LANES / count).max(1);
        for pixels in pixels.chunks(lanes * MAX_SUMMED) {
            let mut sums = vec![[0_u32; 2]; lanes];
            for pixels in pixels.chunks(lanes) {
                for ([sum, squares], &pixel) in sums.iter_mut().zip(pixels) {
                    *sum += u32::from(pixel);
                    *squares += u32::from(pixel) * u32::from(pixel);
                }
            }
            for (lane, [sum, squares]) in sums.into_iter().enumerate() {
                if let Some(channel) = channels.get_mut(lane % count) {
                    channel.add(Self { sum: sum.into(), squares: squares.into() });
                }
            }
        }
    }

    /// Mean and standard deviation over `count` pixels.
    fn shift_and_scale(self, count: usize) -> (f32, f32) {
        let mean = self.sum as f64 / count as f64;
        (mean as f32, deviation(self.squares as f64 / count as f64 - mean * mean))
    }
}

/// Applies [`Statistics`] in host memory, vectorized.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaler {
    /// Shift of each value of a block of whole pixels.
    pub(crate) shift: Vec<f32>,
    /// Scale of each value of a block.
    pub(crate) scale: Vec<f32>,
}

/// Minimum number of values of a block: several of the widest vectors.
const BLOCK: usize = 96;

impl Statistics {
    /// Returns a scaler that applies this map.
    pub fn scaler(&self) -> Scaler {
        let times = BLOCK.div_ceil(self.shift.len().max(1));
        Scaler { shift: self.shift.repeat(times), scale: self.scale.repeat(times) }
    }
}

impl Scaler {
    /// Scales `values`, whole pixels in order, and appends them to `inputs`.
    pub fn scale<T: Copy + Into<f32>>(&self, values: &[T], inputs: &mut Vec<f32>) {
        // Uses the widest vectors of this processor; the result is the same to the bit.
        pulp::Arch::new().dispatch(Append { scaler: self, values, inputs });
    }
}

/// A type, because a closure would not be inlined and would use the narrow baseline vectors.
struct Append<'a, T> {
    scaler: &'a Scaler,
    values: &'a [T],
    inputs: &'a mut Vec<f32>,
}

impl<T: Copy + Into<f32>> pulp::WithSimd for Append<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        let Scaler { shift, scale } = self.scaler;
        for values in self.values.chunks(shift.len().max(1)) {
            let scaled = values.iter().zip(shift.iter().zip(scale));
            let scaled = scaled.map(|(&value, (shift, scale))| (value.into() - shift) / scale);
            self.inputs.extend(scaled);
        }
    }
}

impl Examples {
    /// Returns the model inputs of the examples at `indices`, shape `[indices.len(), width]`. Fails if the
    /// source cannot be read or has changed, and panics if an index is out of range.
    pub fn inputs(&self, indices: &[usize], scaler: &Scaler) -> Result<Vec<f32>, DatasetError> {
        let (examples, indices) = self.in_memory(indices)?;
        let mut inputs = Vec::with_capacity(indices.len() * self.width());
        for &index in &*indices {
            match &examples.values {
                Values::Pixels(pixels) => scaler.scale(self.row(pixels, index), &mut inputs),
                Values::Features(features) => scaler.scale(self.row(features, index), &mut inputs),
                // Examples in memory are not stored elsewhere.
                Values::Stored(_) => {}
            }
        }
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(mean: &[f64], deviation: &[f64]) -> InputConfig {
        let (mean, deviation) = (Some(mean.to_vec()), Some(deviation.to_vec()));
        InputConfig { mean, deviation, ..InputConfig::default() }
    }

    #[test]
    fn fixed_statistics_are_those_of_pixels_from_0_to_1_whatever_the_images() {
        let images = Examples::images([1, 2, 3], vec![0, 128, 255, 255, 0, 128], vec![0]);
        let config = fixed(&[0.5, 0.4, 0.3], &[0.5, 0.25, 0.1]);
        let inputs = images.inputs(&[0], &config.fit(&images).unwrap().scaler()).unwrap();
        let expected = [-1.0, (128.0 / 255.0 - 0.4) / 0.25, 7.0, 1.0, -1.6, 2.0196];
        for (input, expected) in inputs.iter().zip(expected) {
            assert!((f64::from(*input) - expected).abs() < 1e-4, "{inputs:?}");
        }
        let imagenet = InputConfig { normalization: Normalization::Imagenet, ..Default::default() };
        let Statistics { shift, scale } = imagenet.fit(&images).unwrap();
        assert!((shift[0] - 0.485 * 255.0).abs() < 1e-4 && (scale[2] - 57.375).abs() < 1e-4);
    }

    #[test]
    fn fixed_statistics_of_other_channels_or_of_features_are_refused() {
        let grey = Examples::images([2, 2, 1], vec![7; 4], vec![0]);
        let features = Examples::features(3, vec![0.0; 3], vec![0]);
        let imagenet = InputConfig { normalization: Normalization::Imagenet, ..Default::default() };
        for (config, examples, found) in [
            (&imagenet, &grey, "one channel"),
            (&fixed(&[0.5; 3], &[0.5; 3]), &grey, "one channel"),
            (&imagenet, &features, "3 features"),
        ] {
            let error = config.check_against(examples).unwrap_err().to_string();
            assert!(error.contains("3 channels") && error.contains(found), "{error}");
        }
        fixed(&[0.5], &[0.5]).check_against(&grey).unwrap();
        InputConfig::default().check_against(&features).unwrap();
    }

    #[test]
    fn mean_and_deviation_are_given_together_and_alone() {
        let keys = |config: InputConfig| {
            let mut check = Check::default();
            config.check(&mut check);
            check.into_problems().into_iter().map(|problem| problem.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(fixed(&[0.5, 0.5, 0.5], &[0.5, 0.5, 0.5])), [""; 0]);
        assert_eq!(keys(InputConfig { mean: None, ..fixed(&[], &[0.5]) }), ["mean"]);
        assert_eq!(keys(fixed(&[0.5], &[0.5, 0.5])), ["mean"]);
        let normalization = Normalization::UnitRange;
        assert_eq!(keys(InputConfig { normalization, ..fixed(&[0.5], &[0.5]) }), ["normalization"]);
    }

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

    fn assert_scaled(examples: &Examples) {
        for normalization in
            [Normalization::None, Normalization::UnitRange, Normalization::Standardize]
        {
            let Statistics { shift, scale } = normalization.fit(examples).unwrap();
            let scaler = Statistics { shift: shift.clone(), scale: scale.clone() }.scaler();
            let items = [1, 0, 2, 1];
            let raw = examples.gather(&items).unwrap();
            let affine = |(at, value): (usize, &f32)| {
                (value - shift[at % shift.len()]) / scale[at % shift.len()]
            };
            let expected: Vec<f32> = raw.iter().enumerate().map(affine).collect();
            assert_eq!(examples.inputs(&items, &scaler).unwrap(), expected, "{normalization:?}");
        }
    }

    #[test]
    fn inputs_equal_value_minus_shift_over_scale_to_the_bit() {
        for (height, width, channels) in [(64, 64, 3), (28, 28, 1), (7, 5, 3), (1, 1, 1)] {
            let count = 3 * height * width * channels;
            let pixels = (0..count).map(|at| (at * at * 31 % 257) as u8).collect();
            assert_scaled(&Examples::images([height, width, channels], pixels, vec![0; 3]));
        }
    }

    #[test]
    fn each_feature_is_scaled_separately_for_any_width() {
        for width in [1, 2, 95, 96, 97, 300] {
            let features = (0..3 * width).map(|at| (at as f32 * 0.7).sin() * 1e3).collect();
            assert_scaled(&Examples::features(width, features, vec![0; 3]));
        }
    }
}
