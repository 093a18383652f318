use artifacts::{BestEpoch, CommittedMetrics};
use serde::{Deserialize, Serialize};

use crate::config::TrainingConfig;
use crate::model::Scores;

/// Progress of a run, beside its weights and its optimizer: `state.json` of a checkpoint.
///
/// With the config and the seed this is all the rest of the run depends on: everything random is a
/// function of (seed, epoch, step, item).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    /// Identifies the run: checkpoints of other runs are refused.
    pub run: String,
    /// Seed of the run.
    pub seed: u64,
    /// Number of the current epoch, from 1.
    pub epoch: usize,
    /// Steps done in this epoch.
    pub epoch_step: usize,
    /// Steps done in total.
    pub step: usize,
    /// Scores of the steps of this epoch so far.
    pub scores: Scores,
    /// The best epoch so far, if there is a validation set.
    pub best: Option<BestEpoch>,
    /// Epochs since the best one.
    pub epochs_since_best: usize,
    /// The last checkpoint whose time depends on the config alone, for rollbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<String>,
    /// Number of rollbacks so far.
    #[serde(default)]
    pub rollbacks: usize,
    /// The part of the metrics files that belongs to this state.
    pub metrics: CommittedMetrics,
}

impl TrainingState {
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
            scheduled: None,
            rollbacks: 0,
            metrics: CommittedMetrics::default(),
        }
    }

    /// Name of the checkpoint of this state.
    pub fn checkpoint_name(&self) -> String {
        format!("epoch-{:06}-step-{:06}", self.epoch, self.epoch_step)
    }

    /// Names of the checkpoints that must be kept as long as this one.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let best = self.best.as_ref().map(|best| best.checkpoint.as_str());
        best.into_iter().chain(self.scheduled.as_deref())
    }

    /// Counts a step with its scores.
    pub fn count_step(&mut self, scores: Scores) {
        self.scores += scores;
        self.epoch_step += 1;
        self.step += 1;
    }

    /// Whether a run with these settings ends here.
    pub fn is_finished(&self, config: &TrainingConfig) -> bool {
        let stopping = config.early_stopping.as_ref();
        self.epoch > config.epochs
            || stopping.is_some_and(|stopping| self.epochs_since_best >= stopping.patience)
    }

    /// Moves on to the next epoch.
    pub fn next_epoch(&mut self) {
        self.epoch += 1;
        self.epoch_step = 0;
        self.scores = Scores::default();
    }

    /// Records the validation scores of `epoch`; returns whether it is the best so far.
    pub fn update_best(&mut self, epoch: usize, scores: &Scores) -> bool {
        let is_best = self.is_best(scores);
        if is_best {
            self.best = Some(BestEpoch {
                epoch,
                checkpoint: self.checkpoint_name(),
                accuracy: scores.accuracy(),
                loss: scores.loss(),
            });
        }
        let best = self.best.as_ref().map_or(epoch, |best| best.epoch);
        self.epochs_since_best = epoch - best;
        is_best
    }

    /// Returns true if an epoch with these validation scores is better than the best so far.
    fn is_best(&self, scores: &Scores) -> bool {
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
    fn the_best_epoch_has_the_highest_accuracy_and_on_ties_the_lowest_loss() {
        let scores = |correct, loss_sum| Scores { correct, loss_sum, count: 4 };
        let first = TrainingState::new("run".to_owned(), 1);
        assert!(first.is_best(&scores(0, 9.0)));

        let best = BestEpoch { epoch: 1, checkpoint: String::new(), accuracy: 0.5, loss: 1.0 };
        let state = TrainingState { best: Some(best), ..first };
        let cases = [(3, 9.0, true), (1, 0.0, false), (2, 3.0, true), (2, 4.0, false)];
        for (correct, loss_sum, is_best) in cases {
            assert_eq!(state.is_best(&scores(correct, loss_sum)), is_best, "{correct}, {loss_sum}");
        }
    }
}
