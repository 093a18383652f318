use serde::{Deserialize, Serialize};

/// Largest number of losses in a row of the metrics.
const MOST_LOSSES: usize = 50;

/// Measures of the steps since the last reported epoch, in bounded memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSeries {
    count: usize,
    /// Sum of the norms of their gradients.
    norm_sum: f64,
    /// Sums of the losses of [`group`] steps each; the last one may have fewer.
    loss_sums: Vec<f64>,
}

/// Number of steps whose losses are added, of `count` steps: a power of two.
fn group(count: usize) -> usize {
    count.div_ceil(MOST_LOSSES).next_power_of_two()
}

impl StepSeries {
    pub fn add(&mut self, loss: f64, gradient_norm: f64) {
        if group(self.count + 1) > group(self.count) {
            self.loss_sums = self.loss_sums.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
        match self.loss_sums.last_mut() {
            Some(sum) if !self.count.is_multiple_of(group(self.count + 1)) => *sum += loss,
            _ => self.loss_sums.push(loss),
        }
        self.norm_sum += gradient_norm;
        self.count += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Mean norm of the gradients, if there are steps.
    pub fn gradient_norm(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.norm_sum / self.count as f64)
    }

    /// The losses, or means of equal numbers of steps if they are too many.
    pub fn losses(&self) -> Vec<f64> {
        let group = group(self.count);
        let whole = self.loss_sums.iter().take(self.count / group);
        whole.map(|sum| sum / group as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(steps: usize) -> Vec<f64> {
        let mut series = StepSeries::default();
        (0..steps).for_each(|step| series.add(step as f64, 2.0));
        assert_eq!(series.gradient_norm(), (steps > 0).then_some(2.0));
        series.losses()
    }

    #[test]
    fn many_losses_are_means_of_equal_numbers_of_steps() {
        assert!(losses(0).is_empty());
        assert_eq!(losses(50), (0..50).map(f64::from).collect::<Vec<_>>());
        assert_eq!(losses(51), (0..25).map(|pair| f64::from(2 * pair) + 0.5).collect::<Vec<_>>());
        for steps in 51..1000 {
            let losses = losses(steps);
            assert!((25..=50).contains(&losses.len()), "{steps}");
            let group = losses[1] - losses[0];
            assert!(losses.len() as f64 * group > steps as f64 - group);
            let expected = (0..losses.len()).map(|at| at as f64 * group + (group - 1.0) / 2.0);
            assert_eq!(losses, expected.collect::<Vec<_>>());
        }
    }
}
