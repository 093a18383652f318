use serde::{Deserialize, Serialize};

use crate::metrics::Written;
use crate::scores::Scores;

/// Where a run stands, beside its weights and its optimiser.
///
/// With the config and the seed this is all that the rest of the run depends on: everything
/// random is a function of (seed, epoch, step, item).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What the run is identified by: checkpoints of other runs are refused.
    pub run: String,
    /// What all randomness of the run depends on.
    pub seed: u64,
    /// The current epoch, from 1.
    pub epoch: usize,
    /// The steps done in this epoch.
    pub epoch_step: usize,
    /// The steps done in all.
    pub step: usize,
    /// The scores of this epoch's steps so far.
    pub scores: Scores,
    /// The best epoch so far, where there is a validation set.
    pub best: Option<Best>,
    /// The epochs since then.
    pub epochs_since_best: usize,
    /// The last checkpoint that was due, where the run may go back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// How often it did.
    #[serde(default)]
    pub rollbacks: usize,
    /// How much of the metrics files belongs to this state.
    pub metrics: Written,
}

/// The best epoch of a run: highest validation accuracy, then lowest validation loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The name of the checkpoint that holds its model.
    pub checkpoint: String,
    /// The share of validation examples that it classified rightly.
    pub accuracy: f64,
    /// Its mean validation loss.
    pub loss: f64,
}

impl State {
    /// The state before the first step.
    pub fn new(run: String, seed: u64) -> Self {
        Self {
            run,
            seed,
            epoch: 1,
            epoch_step: 0,
            step: 0,
            scores: Scores::default(),
            best: None,
            epochs_since_best: 0,
            due: None,
            rollbacks: 0,
            metrics: Written::default(),
        }
    }

    /// The name of the checkpoint of this state.
    pub fn checkpoint_name(&self) -> String {
        format!("epoch-{:06}-step-{:06}", self.epoch, self.epoch_step)
    }

    /// The checkpoints that must be there as long as this one is.
    pub fn refers_to(&self) -> impl Iterator<Item = &str> {
        let best = self.best.as_ref().map(|best| best.checkpoint.as_str());
        best.into_iter().chain(self.due.as_deref())
    }

    /// Whether an epoch with these validation scores is better than the best so far.
    pub fn is_best(&self, scores: &Scores) -> bool {
        self.best.as_ref().is_none_or(|best| {
            let gain = scores.accuracy() - best.accuracy;
            gain > 0.0 || gain == 0.0 && scores.loss() < best.loss
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_epoch_has_the_highest_accuracy_and_of_equals_the_lowest_loss() {
        let scores = |correct, loss_sum| Scores { correct, loss_sum, count: 4 };
        let first = State::new("run".to_owned(), 1);
        assert!(first.is_best(&scores(0, 9.0)));

        let best = Best { epoch: 1, checkpoint: String::new(), accuracy: 0.5, loss: 1.0 };
        let state = State { best: Some(best), ..first };
        let cases = [(3, 9.0, true), (1, 0.0, false), (2, 3.0, true), (2, 4.0, false)];
        for (correct, loss_sum, is_best) in cases {
            assert_eq!(state.is_best(&scores(correct, loss_sum)), is_best, "{correct}, {loss_sum}");
        }
    }
}
