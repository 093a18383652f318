//! The learning rate range test (Smith 2017, arXiv:1506.01186).

use data::shuffled;
use models::DropoutRng;
use serde::Serialize;
use support::ProgressTask;

use crate::error::RunError;
use crate::experiment::Experiment;

/// The loss while the learning rate rises from step to step.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LrRangeTest {
    /// Name of the experiment.
    pub name: String,
    /// True if the data are synthetic.
    pub synthetic: bool,
    /// Learning rate of each step.
    pub rates: Vec<f64>,
    /// Mean loss of each step, before its update.
    pub losses: Vec<f64>,
    /// Losses smoothed by an exponential moving average with bias correction.
    pub smoothed: Vec<f64>,
    /// Suggested learning rate; `None` if the loss did not decrease.
    pub suggestion: Option<f64>,
    /// The suggestion with two digits as an override of the config, for `--set`.
    pub set: Option<String>,
}

/// First and last learning rate.
const RATES: [f64; 2] = [1e-7, 10.0];
/// Decay of the moving average, as in fastai.
const SMOOTHING: f64 = 0.98;
/// A loss below this share of the first one has decreased.
const DECREASED: f64 = 0.98;
/// A loss above this multiple of the lowest one ends the test.
const DIVERGED: f64 = 4.0;
/// The suggestion ignores one in this many of the planned steps, the first ones.
const IGNORED_SHARE: usize = 10;
/// It also ignores the last steps.
const IGNORED_LAST: usize = 5;

impl Experiment {
    /// Trains for at most `steps` steps with a rising learning rate. Ends early when the loss is
    /// not finite or far above its minimum. Writes nothing.
    pub fn lr_range_test(&mut self, steps: usize) -> Result<LrRangeTest, RunError> {
        self.read_initial_weights()?;
        let mut classifier = self.initial_classifier()?;
        let mut optimizer = self.config().optimizer.init();
        let mut test = LrRangeTest::new(self);
        let mut batches = self.batches();
        let task = ProgressTask::start("testing learning rates", steps);
        for step in 0..steps {
            task.set_done(step);
            let Some(items) = batches.next() else { break };
            let mut batch =
                classifier.batch(&self.data().train, &items, &self.autodiff_device())?;
            batch.dropout =
                Some(DropoutRng { seed: self.config().seed, step: step as u64, micro_batch: 0 });
            let (logits, mut gradients) = classifier.forward_backward(&batch);
            let loss = classifier.scores(logits.into_data(), &batch.labels).loss();
            let rate = rate(step, steps);
            if !test.record(rate, loss) {
                break;
            }
            if let Some(clipping) = self.config().training.gradient_clipping {
                gradients = clipping.apply(&classifier, gradients);
            }
            classifier =
                optimizer.step(self.config().optimizer.step_size(rate), classifier, gradients);
        }
        test.suggestion = suggestion(&test.rates, &test.smoothed, steps);
        let key = self.config().optimizer.learning_rate_key();
        test.set = test.suggestion.map(|rate| format!("{key}={rate:.1e}"));
        Ok(test)
    }

    /// The indices of the examples of each batch, epoch after epoch.
    fn batches(&self) -> impl Iterator<Item = Vec<usize>> {
        let (count, seed) = (self.data().train.len(), self.config().seed);
        let size = self.config().training.batch_size(count).max(1);
        let epoch = move |epoch| {
            let order = shuffled(count, seed, epoch);
            order.chunks(size).map(<[usize]>::to_vec).collect::<Vec<_>>()
        };
        (1..).flat_map(epoch)
    }
}

impl LrRangeTest {
    fn new(experiment: &Experiment) -> Self {
        Self {
            name: experiment.config().name.clone(),
            synthetic: experiment.data_identity().synthetic,
            ..Self::default()
        }
    }

    /// Records a step; returns whether the test continues.
    fn record(&mut self, rate: f64, loss: f64) -> bool {
        if !loss.is_finite() {
            return false;
        }
        let count = self.losses.len() as i32 + 1;
        // The weights of all losses so far sum to 1 (Kingma and Ba 2015, section 3).
        let previous = self.smoothed.last().copied().unwrap_or(0.0);
        let before = previous * (1.0 - SMOOTHING.powi(count - 1));
        let sum = SMOOTHING * before + (1.0 - SMOOTHING) * loss;
        let smoothed = sum / (1.0 - SMOOTHING.powi(count));
        self.rates.push(rate);
        self.losses.push(loss);
        self.smoothed.push(smoothed);
        let lowest = self.smoothed.iter().copied().fold(f64::INFINITY, f64::min);
        smoothed <= DIVERGED * lowest
    }
}

/// The learning rate of a step, in geometric progression.
fn rate(step: usize, steps: usize) -> f64 {
    let [first, last] = RATES;
    first * (last / first).powf(step as f64 / steps.saturating_sub(1).max(1) as f64)
}

/// The rate in the [`valley`] of the losses of up to `steps` steps, without the first and last ones, as
/// fastai's `lr_find` suggests it; `None` if the loss did not decrease.
fn suggestion(rates: &[f64], losses: &[f64], steps: usize) -> Option<f64> {
    let lowest = losses.iter().copied().reduce(f64::min)?;
    let ignored = steps / IGNORED_SHARE;
    let inner = losses.get(ignored..losses.len().checked_sub(IGNORED_LAST)?)?;
    let index = ignored + valley(inner)?;
    rates.get(index).copied().filter(|_| lowest < DECREASED * losses.first().unwrap_or(&lowest))
}

/// The rule "valley" of fastai: the middle of the section of `n` losses that ends where the longest
/// decreasing subsequence, of `n` losses, ends first.
fn valley(losses: &[f64]) -> Option<usize> {
    // The highest loss at which a decreasing subsequence of each length ends.
    let mut ends: Vec<f64> = Vec::new();
    let mut last = 0;
    for (index, loss) in losses.iter().enumerate() {
        let length = ends.partition_point(|end| end > loss);
        if let Some(end) = ends.get_mut(length) {
            *end = *loss;
        } else {
            ends.push(*loss);
            last = index;
        }
    }
    let count = ends.len();
    (last + count / 3 + count / 6).checked_sub(count).filter(|_| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunConfig;

    /// The losses of a test of `configs/signs_fast.toml`, until they diverged.
    const SIGNS_FAST: [f64; 98] = [
        3.09, 3.1, 3.52, 2.84, 3.27, 2.91, 3.19, 2.73, 3.9, 3.55, 3.39, 3.34, 3.72, 3.01, 3.65,
        2.9, 3.33, 2.52, 3.47, 3.05, 3.09, 2.26, 3.28, 3.29, 3.6, 3.46, 3.17, 2.83, 3.34, 3.54,
        3.1, 2.97, 2.9, 2.67, 2.9, 2.7, 2.63, 2.6, 2.24, 2.46, 2.47, 1.87, 1.97, 1.92, 1.95, 1.94,
        1.96, 1.6, 2.35, 2.06, 2.07, 2.04, 2.28, 2.28, 1.79, 1.4, 1.68, 1.59, 1.98, 1.19, 1.71,
        1.54, 1.37, 1.43, 1.39, 1.73, 1.29, 1.33, 1.15, 1.69, 1.35, 1.84, 1.8, 1.66, 1.52, 4.01,
        6.0, 6.76, 7.71, 6.73, 1.91, 2.5, 1.85, 1.85, 2.2, 2.16, 5.8, 10.54, 4.21, 5.69, 2.51,
        4.34, 3.3, 2.58, 5.91, 2.45, 2.36, 55.89,
    ];

    #[test]
    fn rates_rise_by_equal_ratios() {
        assert_eq!(rate(0, 5), 1e-7);
        assert!((rate(2, 5) / 1e-3 - 1.0).abs() < 1e-9);
        assert!((rate(4, 5) / 10.0 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_valley_is_in_the_middle_of_the_longest_decrease() {
        // fastai's function returns the same indices.
        let descent: Vec<f64> = (0..30).map(|step| f64::from(30 - step)).collect();
        assert_eq!(valley(&descent), Some(14));
        let plateau = [3.0, 3.1, 3.0, 3.1, 3.0, 2.8, 2.6, 2.4, 2.0, 1.9, 1.8, 2.5, 4.0];
        assert_eq!(valley(&plateau), Some(5));
        assert_eq!(valley(&[1.0, 2.0]), None);
        assert_eq!(valley(&[]), None);
    }

    #[test]
    fn the_suggestion_of_a_recorded_run_is_that_of_fastai() {
        let mut test = LrRangeTest::default();
        for (step, loss) in SIGNS_FAST.iter().enumerate() {
            test.record(rate(step, 100), *loss);
        }
        // Of fastai's `valley` on these losses, smoothed as its recorder does.
        assert_eq!(suggestion(&test.rates, &test.smoothed, 100), Some(rate(47, 100)));
    }

    #[test]
    fn there_is_no_suggestion_unless_the_loss_decreases() {
        let rates: Vec<f64> = (0..40).map(|step| rate(step, 40)).collect();
        let falling: Vec<f64> = (0..40).map(|step| 2.0 - 0.01 * f64::from(step)).collect();
        // Of the steps 4 to 34, 31 losses.
        assert_eq!(suggestion(&rates, &falling, 40), Some(rates[4 + 14]));
        let rising: Vec<f64> = falling.iter().rev().copied().collect();
        assert_eq!(suggestion(&rates, &rising, 40), None);
        for few in [4, 9] {
            assert_eq!(suggestion(&rates[..few], &falling[..few], 40), None);
        }
        assert_eq!(suggestion(&[], &[], 40), None);
    }

    #[test]
    fn a_test_ends_far_above_the_lowest_loss() {
        let text = "name = \"moons\"\ndataset.points = {}\nmodel.mlp.hidden = [16]\n\
                    training = { epochs = 1, batch_size = 32 }\noptimizer.sgd = {}\n";
        let config: RunConfig = toml::from_str(text).unwrap();
        let test = Experiment::prepare(&config, None, None).unwrap().lr_range_test(100).unwrap();
        let suggestion = test.suggestion.unwrap();
        assert!((1e-3..=1.0).contains(&suggestion), "{test:?}");
        let lowest = test.smoothed.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(test.smoothed.iter().rev().skip(1).all(|loss| *loss <= DIVERGED * lowest * 1.5));
        assert!(lowest < DECREASED * test.losses[0], "{test:?}");
    }
}
