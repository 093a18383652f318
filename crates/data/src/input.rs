use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::statistics::{Normalization, Statistics};

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

/// Mean and standard deviation of the channels of ImageNet, as torchvision uses them.
const IMAGENET: [[f64; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

impl InputConfig {
    /// The map of values to inputs, fitted on `train` unless it is fixed.
    ///
    /// # Errors
    ///
    /// If the source of `train` cannot be read or has changed, or if a fixed map does not suit it.
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

    /// Checks that a fixed normalization suits `examples`.
    ///
    /// # Errors
    ///
    /// If they are not images, or of another number of channels.
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
        Err(DatasetError::FixedNormalization { fixed, found })
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
}
