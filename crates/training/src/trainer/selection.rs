//! The choice of the epoch whose model is saved.

use artifacts::ClassScore;
use serde::{Deserialize, Serialize};

use crate::config::BestMetric;
use crate::model::Tally;

impl Tally {
    pub fn classes(&self) -> Vec<ClassScore> {
        let names = vec![String::new(); self.confusion.len()];
        ClassScore::of_confusion(&self.confusion, &names)
    }

    /// The value of `metric`, and the negative loss to decide between equal values; larger is
    /// better. `None` if the metric does not depend on scores.
    pub fn quality(&self, metric: BestMetric) -> Option<[f64; 2]> {
        let loss = -self.sums.loss();
        Some(match metric {
            BestMetric::Last => return None,
            BestMetric::Loss => [loss; 2],
            BestMetric::Accuracy => [self.sums.accuracy(), loss],
            BestMetric::MacroF1 => [ClassScore::macro_f1(&self.classes()), loss],
            BestMetric::BalancedAccuracy => [ClassScore::balanced_accuracy(&self.classes()), loss],
        })
    }
}

/// Number of reported epochs over which the metric is averaged. A single epoch that is lucky on a
/// small validation set is not better on new data.
const WINDOW: usize = 5;

/// Progress of the metric of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Qualities of the last reported epochs, the latest last.
    recent: Vec<[f64; 2]>,
    /// Best mean of the qualities of [`WINDOW`] epochs.
    best: Option<[f64; 2]>,
}

impl Selection {
    pub fn is_empty(&self) -> bool {
        self.recent.is_empty()
    }

    /// Records the quality of an epoch; returns whether the mean of the last epochs, fewer than
    /// [`WINDOW`] at the start, is the best so far.
    pub fn is_best(&mut self, quality: [f64; 2]) -> bool {
        if self.recent.len() == WINDOW {
            self.recent.remove(0);
        }
        self.recent.push(quality);
        let mean = self.mean();
        let is_best = self.best.is_none_or(|best| mean > best);
        if is_best {
            self.best = Some(mean);
        }
        is_best
    }

    fn mean(&self) -> [f64; 2] {
        let sum = self.recent.iter().fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
        sum.map(|sum| sum / self.recent.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scores;

    fn scores(correct: u64, loss_sum: f64) -> Tally {
        let mut tally = Tally::new(2);
        tally.sums = Scores { loss_sum, correct, count: 4 };
        tally
    }

    /// The epochs, from 1, that are the best so far.
    fn bests(metric: BestMetric, epochs: &[Tally]) -> Vec<usize> {
        let mut selection = Selection::default();
        let qualities = epochs.iter().map(|scores| scores.quality(metric).unwrap());
        let is_best: Vec<_> = qualities.map(|quality| selection.is_best(quality)).collect();
        (1..=epochs.len()).filter(|epoch| is_best[epoch - 1]).collect()
    }

    #[test]
    fn one_lucky_epoch_is_not_the_best() {
        let losses = [8.0, 6.0, 4.0, 0.4, 4.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0];
        let epochs: Vec<_> = losses.map(|loss| scores(2, loss)).into();
        assert_eq!(bests(BestMetric::Loss, &epochs), [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]);
    }

    #[test]
    fn of_equal_accuracies_the_one_with_the_lower_loss_is_better() {
        let epochs = [scores(2, 2.0), scores(2, 1.0), scores(2, 4.0), scores(1, 0.0)];
        assert_eq!(bests(BestMetric::Accuracy, &epochs), [1, 2]);
    }
}
