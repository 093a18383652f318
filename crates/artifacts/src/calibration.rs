//! Confidence against accuracy (Guo et al. 2017, arXiv:1706.04599).

use serde::{Deserialize, Serialize};

/// Number of bins.
const BINS: usize = 15;

/// Predictions by the confidence in them, in 15 bins of equal width from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CalibrationBins(Vec<CalibrationBin>);

/// Predictions whose confidence lies in one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Number of predictions.
    pub count: usize,
    /// Mean confidence; 0 if there are none.
    pub confidence: f64,
    /// Share of correct predictions; 0 if there are none.
    pub accuracy: f64,
}

/// Calibration of a model on some examples. Errors are expected calibration errors, 0 to 1, over 15
/// bins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Temperature of the model, by which its logits are divided; `None` if it has none.
    pub temperature: Option<f64>,
    /// Error of the probabilities without the temperature.
    pub error_before: f64,
    /// Error of the probabilities with the temperature. On the validation set, on which it is fitted,
    /// it is estimated by cross-fitting: each fold has the temperature of the other folds.
    pub error_after: Option<f64>,
}

impl Default for CalibrationBins {
    fn default() -> Self {
        Self(vec![CalibrationBin::default(); BINS])
    }
}

impl CalibrationBins {
    /// Counts a prediction of this confidence, 0 to 1.
    pub fn add(&mut self, confidence: f64, is_correct: bool) {
        let last = self.0.len().saturating_sub(1);
        let index = (confidence * self.0.len() as f64) as usize;
        if let Some(bin) = self.0.get_mut(index.min(last)) {
            bin.count += 1;
            let share = 1.0 / bin.count as f64;
            bin.confidence += share * (confidence - bin.confidence);
            bin.accuracy += share * (f64::from(u8::from(is_correct)) - bin.accuracy);
        }
    }

    /// Expected calibration error (Naeini et al. 2015): the mean difference of confidence and
    /// accuracy, weighted by the number of predictions. 0 without predictions.
    pub fn error(&self) -> f64 {
        let gap = |bin: &CalibrationBin| (bin.confidence - bin.accuracy).abs() * bin.count as f64;
        self.0.iter().map(gap).sum::<f64>() / self.count().max(1) as f64
    }

    /// Number of predictions.
    pub fn count(&self) -> usize {
        self.0.iter().map(|bin| bin.count).sum()
    }

    /// The bins, in the order of their confidence.
    pub fn iter(&self) -> impl Iterator<Item = &CalibrationBin> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prediction_counts_in_the_bin_of_its_confidence() {
        let mut bins = CalibrationBins::default();
        for (confidence, is_correct) in [(0.95, true), (1.0, false), (0.55, true)] {
            bins.add(confidence, is_correct);
        }
        let counts: Vec<usize> = bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2]);
        let [.., last] = &bins.0[..] else { unreachable!() };
        assert!((last.confidence - 0.975).abs() < 1e-12 && (last.accuracy - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_error_is_the_mean_difference_weighted_by_predictions() {
        let mut bins = CalibrationBins::default();
        for index in 0..40 {
            // 30 of confidence 0.9, 24 of them correct, and 10 of confidence 0.6, 9 of them correct.
            let (confidence, is_correct) =
                if index < 30 { (0.9, index < 24) } else { (0.6, index < 39) };
            bins.add(confidence, is_correct);
        }
        assert!((bins.error() - (30.0 * 0.1 + 10.0 * 0.3) / 40.0).abs() < 1e-12);
        assert_eq!(CalibrationBins::default().error(), 0.0);
    }
}
