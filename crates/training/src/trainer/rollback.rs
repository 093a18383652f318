//! Rollback to a checkpoint when loss, gradients or weights are no longer finite.

use super::{Trainer, TrainingState};
use crate::config::OnNan;
use crate::error::RunError;

/// Number of rollbacks after which a run fails.
const MAX_ROLLBACKS: usize = 10;

impl Trainer {
    /// Commits a checkpoint to roll back to, if there is none yet and the run may need one.
    pub(super) fn commit_rollback_target(&mut self) -> Result<(), RunError> {
        if self.rolls_back() && self.state.scheduled.is_none() {
            self.commit_scheduled()?;
        }
        Ok(())
    }

    /// Commits a checkpoint at a time that depends on the config alone. A checkpoint made for a
    /// stop is never a rollback target: the run would not end as one that was not stopped.
    pub(super) fn commit_scheduled(&mut self) -> Result<(), RunError> {
        if self.rolls_back() {
            self.state.scheduled = Some(self.state.checkpoint_name());
        }
        self.commit()
    }

    /// Returns to the last scheduled checkpoint, or fails with `error`.
    pub(super) fn roll_back(&mut self, error: RunError) -> Result<(), RunError> {
        let is_numeric = matches!(error, RunError::NonFinite { .. });
        let rollbacks = self.state.rollbacks + 1;
        let target = self.state.scheduled.clone();
        let target =
            target.filter(|_| is_numeric && self.rolls_back() && rollbacks <= MAX_ROLLBACKS);
        let Some(target) = target else { return Err(error) };
        let checkpoint = self.writer.checkpoints.load(&target)?;
        self.optimization.load(&checkpoint)?;
        self.pending.clear();
        self.state = TrainingState { rollbacks, plan: self.state.plan.take(), ..checkpoint.state };
        self.writer.roll_back(&self.state)?;
        let problem = error.to_string();
        let problem = problem.lines().next().unwrap_or_default();
        tracing::warn!(
            "{problem}; rolled back to {target} with half the learning rate (rollback {rollbacks})"
        );
        Ok(())
    }

    /// Factor of the learning rate: halved by every rollback.
    pub(super) fn rollback_lr_factor(&self) -> f64 {
        0.5_f64.powi(self.state.rollbacks as i32)
    }

    fn rolls_back(&self) -> bool {
        self.config.on_nan == OnNan::Rollback
    }
}
