use artifacts::{BestEpoch, CommittedMetrics};
use serde::{Deserialize, Serialize};

use super::selection::Selection;
use super::step_series::StepSeries;
use crate::config::{PlannedSteps, TrainingConfig};
use crate::model::{Scores, Tally};

/// Progress of a run, beside its weights and its optimizer: `state.json` of a checkpoint.
///
/// With the config and the seed this is all the rest of the run depends on: everything random is a
/// function of (seed, epoch, step, item).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// Measures of the steps since the last row of the metrics.
    #[serde(default, skip_serializing_if = "StepSeries::is_empty")]
    pub series: StepSeries,
    /// The best epoch so far by the metric, if there is a validation set.
    pub best: Option<BestEpoch>,
    /// Progress of the metric.
    #[serde(default, skip_serializing_if = "Selection::is_empty")]
    pub selection: Selection,
    /// Epochs since the best one.
    pub epochs_since_best: usize,
    /// The last checkpoint whose time depends on the config alone, for rollbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<String>,
    /// Number of rollbacks so far.
    #[serde(default)]
    pub rollbacks: usize,
    /// The number of steps of a run with a time budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<TimePlan>,
    /// The part of the metrics files that belongs to this state.
    pub metrics: CommittedMetrics,
}

/// The number of steps that fills a time budget, by the speed measured so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimePlan {
    /// The budget in seconds.
    pub seconds: f64,
    /// The plan and its changes.
    pub steps: Vec<PlannedSteps>,
}

/// Called with the state of a run and the number of its last epoch, as planned now.
pub type EpochWatch = Box<dyn FnMut(&TrainingState, usize) + Send>;

impl TrainingState {
    /// The state before the first step.
    pub fn new(run: String, seed: u64) -> Self {
        Self { run, seed, epoch: 1, ..Self::default() }
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

    pub(crate) fn count_step(&mut self) {
        self.epoch_step += 1;
        self.step += 1;
    }

    pub(crate) fn add(&mut self, scores: Scores, gradient_norm: f64) {
        self.scores += scores;
        self.series.add(scores.loss(), gradient_norm);
    }

    /// Number of steps of the run on `count` examples, as planned after `step` steps.
    pub fn total_steps(&self, config: &TrainingConfig, step: usize, count: usize) -> usize {
        let plan = self.plan.as_ref().map_or(&config.plan, |plan| &plan.steps);
        config.total_steps(plan, step, count)
    }

    /// Whether a run with these settings on `count` examples ends here.
    pub fn is_finished(&self, config: &TrainingConfig, count: usize) -> bool {
        let stopping = config.early_stopping.as_ref();
        self.epoch_step == 0 && self.step >= self.total_steps(config, self.step, count)
            || stopping.is_some_and(|stopping| self.epochs_since_best >= stopping.patience)
    }

    pub(crate) fn next_epoch(&mut self) {
        self.epoch += 1;
        self.epoch_step = 0;
        self.scores = Scores::default();
    }

    /// Records the validation scores of `epoch`, which is done; returns whether it is the best so
    /// far by the metric of `config`. `is_last` if no epoch follows.
    pub fn update_best(
        &mut self,
        epoch: usize,
        scores: &Tally,
        config: &TrainingConfig,
        is_last: bool,
    ) -> bool {
        let is_best = match scores.quality(config.best_metric()) {
            Some(quality) => self.selection.is_best(quality),
            None => is_last,
        };
        if is_best {
            self.best = Some(BestEpoch {
                epoch,
                checkpoint: self.checkpoint_name(),
                accuracy: scores.sums.accuracy(),
                loss: scores.sums.loss(),
            });
        }
        let best = self.best.as_ref().map_or(epoch, |best| best.epoch);
        self.epochs_since_best = epoch - best;
        is_best
    }
}
