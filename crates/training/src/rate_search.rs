//! The learning rate range test (Smith 2017, arXiv:1506.01186).

use burn::optim::GradientsParams;
use burn::train::TrainStep;
use dataset::{Work, shuffled};
use models::Noise;
use serde::Serialize;

use crate::error::RunError;
use crate::plan::Plan;

/// How the loss goes while the learning rate rises from step to step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RateSearch {
    /// The name of the experiment.
    pub name: String,
    /// Whether the data are the drawn stand-in rather than real.
    pub stand_in: bool,
    /// The learning rate of each step.
    pub rates: Vec<f64>,
    /// The mean loss of each step, before it moved the weights.
    pub losses: Vec<f64>,
    /// The losses, each a mean that forgets the ones before it slowly.
    pub smoothed: Vec<f64>,
    /// A rate to begin with; `None` if the loss never fell.
    pub suggestion: Option<f64>,
}

/// The first and the last learning rate.
const RATES: [f64; 2] = [1e-7, 10.0];
/// How much of a smoothed loss each step leaves.
const MEMORY: f64 = 0.9;
/// Below this share of the first loss it has fallen.
const FELL: f64 = 0.98;
/// How many times the lowest loss ends the search.
const DIVERGED: f64 = 4.0;

impl Plan {
    /// Trains for at most so many steps, each with a higher learning rate than the last; nothing is
    /// kept of it. Ends when the loss is no number, or far above the lowest.
    pub fn search_rate(&self, steps: usize) -> Result<RateSearch, RunError> {
        let mut classifier = self.initial()?;
        let mut optimizer = self.config.optimizer.init();
        let mut search = RateSearch::new(self);
        let mut batches = self.batches();
        let work = Work::begin("searching a learning rate", steps);
        for step in 0..steps {
            work.reach(step);
            let Some(items) = batches.next() else { break };
            let mut batch = classifier.batch(&self.data.train, &items, &self.autodiff())?;
            batch.noise = Some(Noise { seed: self.config.seed, step: step as u64, part: 0 });
            let output = TrainStep::step(&classifier, batch);
            let rate = rate(step, steps);
            if !search.note(rate, output.item.loss()) {
                break;
            }
            let mut gradients: GradientsParams = output.grads;
            if let Some(clipping) = self.config.training.gradient_clipping {
                gradients = clipping.apply(&classifier, gradients);
            }
            classifier =
                optimizer.step(self.config.optimizer.step_size(rate), classifier, gradients);
        }
        search.suggestion = suggestion(&search.rates, &search.smoothed);
        Ok(search)
    }

    /// The items of batch after batch, epoch after epoch.
    fn batches(&self) -> impl Iterator<Item = Vec<usize>> {
        let (count, seed) = (self.data.train.len(), self.config.seed);
        let size = self.config.training.batch_size(count).max(1);
        let epoch = move |epoch| {
            let order = shuffled(count, seed, epoch);
            order.chunks(size).map(<[usize]>::to_vec).collect::<Vec<_>>()
        };
        (1..).flat_map(epoch)
    }
}

impl RateSearch {
    fn new(plan: &Plan) -> Self {
        Self {
            name: plan.config.name.clone(),
            stand_in: plan.data().stand_in,
            rates: Vec::new(),
            losses: Vec::new(),
            smoothed: Vec::new(),
            suggestion: None,
        }
    }

    /// Notes a step; whether the search goes on.
    fn note(&mut self, rate: f64, loss: f64) -> bool {
        if !loss.is_finite() {
            return false;
        }
        let count = self.losses.len() as i32 + 1;
        // The weights of all losses so far add up to 1 (Kingma and Ba 2015, section 3).
        let before = self.smoothed.last().map_or(0.0, |last| last * (1.0 - MEMORY.powi(count - 1)));
        let smoothed = (MEMORY * before + (1.0 - MEMORY) * loss) / (1.0 - MEMORY.powi(count));
        self.rates.push(rate);
        self.losses.push(loss);
        self.smoothed.push(smoothed);
        let lowest = self.smoothed.iter().copied().fold(f64::INFINITY, f64::min);
        smoothed <= DIVERGED * lowest
    }
}

/// Equal ratios from the first rate to the last.
fn rate(step: usize, steps: usize) -> f64 {
    let [first, last] = RATES;
    first * (last / first).powf(step as f64 / steps.saturating_sub(1).max(1) as f64)
}

/// A tenth of the rate with the lowest loss, the rule of Howard and Gugger 2020 (arXiv:2002.04688,
/// section 4.1); none if that is hardly below the first.
fn suggestion(rates: &[f64], losses: &[f64]) -> Option<f64> {
    let first = losses.first()?;
    let (rate, lowest) = rates.iter().zip(losses).min_by(|one, other| one.1.total_cmp(other.1))?;
    (*lowest < FELL * first).then_some(rate / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunConfig;

    #[test]
    fn rates_rise_by_equal_ratios() {
        assert_eq!(rate(0, 5), 1e-7);
        assert!((rate(2, 5) / 1e-3 - 1.0).abs() < 1e-9);
        assert!((rate(4, 5) / 10.0 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_suggestion_is_a_tenth_of_the_rate_with_the_lowest_loss() {
        let rates = [1e-3, 1e-2, 1e-1, 1.0];
        assert_eq!(suggestion(&rates, &[2.0, 1.9, 1.0, 3.0]), Some(1e-2));
        assert_eq!(suggestion(&rates, &[2.0, 1.99, 2.1, 3.0]), None);
        assert_eq!(suggestion(&[], &[]), None);
    }

    #[test]
    fn a_search_ends_with_what_is_far_above_the_lowest_loss() {
        let text = "name = \"moons\"\ndataset.points = {}\nmodel.mlp.hidden = [16]\n\
                    training = { epochs = 1, batch_size = 32 }\noptimizer.sgd = {}\n";
        let config: RunConfig = toml::from_str(text).unwrap();
        let search = Plan::prepare(&config, None, None).unwrap().search_rate(100).unwrap();
        let suggestion = search.suggestion.unwrap();
        assert!((1e-3..=1.0).contains(&suggestion), "{search:?}");
        let lowest = search.smoothed.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(search.smoothed.iter().rev().skip(1).all(|loss| *loss <= DIVERGED * lowest * 1.5));
        assert!(lowest < FELL * search.losses[0], "{search:?}");
    }
}
