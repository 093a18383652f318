//! Temperature scaling (Guo et al. 2017, arXiv:1706.04599).

use artifacts::{Calibration, CalibrationBins};
use burn::tensor::Device;
use data::{DatasetError, Examples, shuffled};

use super::evaluate::rows;
use crate::model::{Classifier, class_logits, confidence, loss_and_prediction};

/// Number of folds in which the error with the temperature is estimated.
const FOLDS: usize = 5;

/// Smallest and largest factor of the logits: one divided by the temperature.
const FACTORS: [f64; 2] = [1e-4, 1e4];

/// Largest number of steps of the fit; it needs about eight.
const MAX_STEPS: usize = 60;

/// An example with its prediction.
struct Sample {
    /// One logit per class.
    logits: Vec<f64>,
    label: usize,
    is_correct: bool,
}

/// Fits the temperature of `classifier` on `examples`, which it was not trained on, and estimates
/// the calibration with it by cross-fitting. There is no temperature if a logit is not finite.
pub fn calibrate(
    classifier: &Classifier,
    examples: &Examples,
    device: &Device,
) -> Result<Calibration, DatasetError> {
    let head = classifier.objective().head;
    let (mut samples, mut before) = (Vec::new(), CalibrationBins::default());
    classifier.evaluate(examples, device, |items, logits| {
        for (row, label) in rows(logits).iter().zip(examples.labels_at(items)) {
            let is_correct = loss_and_prediction(head, row, label).1 == label as usize;
            let logits: Vec<f64> = class_logits(row).collect();
            before.add(confidence(&logits, 1.0), is_correct);
            samples.push(Sample { logits, label: label as usize, is_correct });
        }
    })?;
    let temperature = fit(&samples.iter().collect::<Vec<_>>());
    Ok(Calibration {
        temperature,
        error_before: before.error(),
        error_after: temperature.map(|_| cross_fitted(&samples).error()),
    })
}

/// Confidence in the samples of each fold with the temperature of the other folds.
fn cross_fitted(samples: &[Sample]) -> CalibrationBins {
    let order: Vec<&Sample> =
        shuffled(samples.len(), 0, 0).into_iter().filter_map(|item| samples.get(item)).collect();
    let mut bins = CalibrationBins::default();
    for fold in 0..FOLDS {
        let (own, others): (Vec<_>, Vec<_>) =
            order.iter().enumerate().partition(|(position, _)| position % FOLDS == fold);
        let others: Vec<&Sample> = others.into_iter().map(|(_, sample)| *sample).collect();
        let temperature = fit(&others).unwrap_or(1.0);
        for (_, sample) in own {
            bins.add(confidence(&sample.logits, temperature), sample.is_correct);
        }
    }
    bins
}

/// The temperature with the lowest negative log-likelihood of the labels.
///
/// The samples count as if one more were among them whose label is any class with equal
/// probability: otherwise the temperature of samples that are all correct would be 0.
fn fit(samples: &[&Sample]) -> Option<f64> {
    let are_finite = samples.iter().all(|sample| sample.logits.iter().all(|it| it.is_finite()));
    if samples.is_empty() || !are_finite {
        return None;
    }
    // The negative log-likelihood is convex in the factor of the logits: Newton's method, or a
    // bisection where that leaves the bracket.
    let [mut low, mut high] = FACTORS;
    let mut factor = 1.0;
    for _ in 0..MAX_STEPS {
        let [slope, curvature] = derivatives(samples, factor);
        if slope > 0.0 {
            high = factor
        } else {
            low = factor
        }
        let newton = factor - slope / curvature;
        let is_inside = low <= newton && newton <= high;
        let next = if is_inside || slope == 0.0 { newton } else { f64::sqrt(low * high) };
        let is_done = slope == 0.0 || (next / factor - 1.0).abs() < 1e-9;
        if is_done {
            break;
        }
        factor = next;
    }
    Some(1.0 / factor)
}

/// First and second derivative of the negative log-likelihood by the factor of the logits.
fn derivatives(samples: &[&Sample], factor: f64) -> [f64; 2] {
    let pseudo_count = 1.0 / samples.len() as f64;
    let (mut slope, mut curvature) = (0.0, 0.0);
    for Sample { logits, label, .. } in samples.iter().copied() {
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let [mut sum, mut first, mut second, mut all, mut own] = [0.0; 5];
        for (class, logit) in logits.iter().map(|logit| logit - most).enumerate() {
            let weight = (factor * logit).exp();
            sum += weight;
            first += weight * logit;
            second += weight * logit * logit;
            all += logit;
            own += if class == *label { logit } else { 0.0 };
        }
        let (mean, uniform) = (first / sum, all / logits.len() as f64);
        slope += mean - own + pseudo_count * (mean - uniform);
        curvature += (1.0 + pseudo_count) * (second / sum - mean * mean);
    }
    [slope, curvature]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of two classes whose logits are `margin` apart, `wrong` of `count` in the other class.
    fn samples(count: usize, wrong: usize, margin: f64) -> Vec<Sample> {
        let sample = |index| {
            let is_correct = index >= wrong;
            Sample { logits: vec![3.0, 3.0 + margin], label: usize::from(is_correct), is_correct }
        };
        (0..count).map(sample).collect()
    }

    fn temperature(samples: &[Sample]) -> f64 {
        fit(&samples.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_confidence_with_the_temperature_is_the_share_of_correct_samples() {
        for (wrong, margin) in [(230, 8.0), (230, 0.3), (10, 2.0)] {
            let samples = samples(1000, wrong, margin);
            let temperature = temperature(&samples);
            let confidence = confidence(&samples[0].logits, temperature);
            // One more sample of any label.
            let expected = (1000.0 - wrong as f64 + 0.5) / 1001.0;
            assert!((confidence - expected).abs() < 1e-9, "{wrong} {margin}: {confidence}");
            assert!(cross_fitted(&samples).error() < 0.02);
        }
    }

    #[test]
    fn a_few_samples_that_are_all_correct_do_not_make_the_model_certain() {
        for margin in [0.5, 20.0] {
            let samples = samples(12, 0, margin);
            let confidence = confidence(&samples[0].logits, temperature(&samples));
            assert!((confidence - 12.5 / 13.0).abs() < 1e-9, "{confidence}");
        }
    }

    #[test]
    fn extreme_samples_have_a_finite_temperature_and_others_none() {
        for (wrong, margin) in [(12, 5.0), (0, 0.0), (0, 1e-6), (6, 1e6)] {
            let found = temperature(&samples(12, wrong, margin));
            assert!((0.9e-4..=1.1e4).contains(&found), "{wrong} {margin}: {found}");
        }
        assert_eq!(temperature(&samples(12, 0, 0.0)), 1.0);
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[&samples(1, 0, f64::NAN)[0]]), None);
    }

    #[test]
    fn the_temperature_minimizes_the_likelihood_of_many_classes() {
        // Logits that are 2.5 times those of the distribution from which the labels come.
        let mut bits = 1_u64;
        let mut random = || {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (bits >> 40) as f64 / (1 << 24) as f64
        };
        let samples: Vec<Sample> = (0..4000)
            .map(|_| {
                let logits: Vec<f64> = (0..5).map(|_| 4.0 * random()).collect();
                let weights: Vec<f64> = logits.iter().map(|logit| logit.exp()).collect();
                let mut rest = random() * weights.iter().sum::<f64>();
                let label = weights.iter().position(|weight| {
                    rest -= weight;
                    rest < 0.0
                });
                let label = label.unwrap_or(4);
                let logits: Vec<f64> = logits.iter().map(|logit| 2.5 * logit).collect();
                let best = logits.iter().copied().fold(f64::MIN, f64::max);
                Sample { is_correct: logits[label] == best, logits, label }
            })
            .collect();
        let found = temperature(&samples);
        assert!((found - 2.5).abs() < 0.15, "{found}");
        let before: Vec<_> = samples.iter().map(|it| confidence(&it.logits, 1.0)).collect();
        let mut bins = CalibrationBins::default();
        before.iter().zip(&samples).for_each(|(it, sample)| bins.add(*it, sample.is_correct));
        assert!(bins.error() > 0.1 && cross_fitted(&samples).error() < 0.03);
    }
}
