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
        self.state = TrainingState { rollbacks, ..checkpoint.state };
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{Experiment, Fault, Faults, RunConfig, Ui};

    #[test]
    fn a_gradient_that_is_not_finite_ends_the_run_and_names_its_tensor() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let adam = "optimizer={adam={}}";
        let cases: [&[&str]; 3] = [&[], &[adam], &[adam, "training.gradient_clipping.value=1.0"]];
        for (overrides, value) in
            cases.iter().flat_map(|&case| [(case, f32::NAN), (case, f32::INFINITY)])
        {
            let mut overrides: Vec<_> = overrides.iter().map(|&key| key.to_owned()).collect();
            overrides.push("training.epochs=3".to_owned());
            let config = RunConfig::read(&path, &overrides).unwrap();
            let directory = tempfile::TempDir::new().unwrap();
            let experiment = Experiment::prepare(&config, None, None).unwrap();
            let mut run = experiment.start_at(&directory.path().join("run")).unwrap();
            run.inject(Faults::one(3, Fault::Gradient(value)));
            let error = run.train(Ui::silent(Box::new(|| None))).unwrap_err().to_string();
            let expected = format!(
                "the sum of the gradients is {value} in epoch 1, batch 3 (step 3): the first tensor that is not finite is the gradient of `model.Mlp.hidden.0."
            );
            assert!(error.starts_with(&expected), "{overrides:?}: {error}");
        }
    }

    #[test]
    fn a_rollback_does_not_hide_other_errors() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let overrides = ["epochs=3", "on_nan=rollback", "loader.workers=1"];
        let overrides = overrides.map(|setting| format!("training.{setting}"));
        let config = RunConfig::read(&path, &overrides).unwrap();
        let directory = tempfile::TempDir::new().unwrap();
        let experiment = Experiment::prepare(&config, None, None).unwrap();
        let mut run = experiment.start_at(&directory.path().join("run")).unwrap();
        run.inject(Faults::one(3, Fault::Source));
        let error = run.train(Ui::silent(Box::new(|| None))).unwrap_err().to_string();
        assert!(error.contains("fault injected into the source"), "{error}");
    }
}
