//! What a run does when its loss, gradients or weights are no longer finite.

use serde::{Deserialize, Serialize};

use super::Session;
use crate::error::RunError;
use crate::metrics::MetricsFiles;
use crate::state::State;

/// What to do when a number of the training is not finite: `training.on_nan`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnNan {
    /// End the run with an error; the last checkpoint is intact.
    #[default]
    Stop,
    /// Go back to the last checkpoint that was due, and on from there with half the learning rate;
    /// end with an error after ten times.
    Rollback,
}

/// How often a run goes back.
const MOST_ROLLBACKS: usize = 10;

impl Session {
    /// Makes sure that there is a checkpoint to go back to, if the run is to.
    pub(super) fn prepare_recovery(&mut self) -> Result<(), RunError> {
        match self.goes_back() && self.state.due.is_none() {
            true => self.commit_due(),
            false => Ok(()),
        }
    }

    /// Commits a checkpoint at a time that depends on the config alone. One made for a stop is
    /// never gone back to: the run would not end as one that was not stopped.
    pub(super) fn commit_due(&mut self) -> Result<(), RunError> {
        if self.goes_back() {
            self.state.due = Some(self.state.checkpoint_name());
        }
        self.commit()
    }

    /// Goes back to where everything was finite, or fails with `error`.
    pub(super) fn recover(&mut self, error: RunError) -> Result<(), RunError> {
        let is_numeric = matches!(error, RunError::NotFinite { .. });
        let rollbacks = self.state.rollbacks + 1;
        let Some(due) = self.state.due.clone().filter(|_| is_numeric && self.goes_back()) else {
            return Err(error);
        };
        if rollbacks > MOST_ROLLBACKS {
            return Err(error);
        }
        let checkpoint = self.checkpoints.load(&due)?;
        let average = self.average.take();
        self.average = average.map(|average| checkpoint.load_model(average)).transpose()?;
        self.classifier = checkpoint.load_weights(self.classifier.clone())?;
        self.optimizer =
            checkpoint.load_optimizer(self.config.optimizer.init_summing(&self.gradient_sum))?;
        self.unread.clear();
        self.state = State { rollbacks, ..checkpoint.state };
        self.metrics = MetricsFiles::open(&self.directory, &self.state.metrics)?;
        self.tensorboard.restart(self.state.step)?;
        let problem = error.to_string();
        let problem = problem.lines().next().unwrap_or_default();
        tracing::warn!("{problem}; back to {due} with half the learning rate ({rollbacks})");
        Ok(())
    }

    /// What the learning rate is multiplied by, after every time that the run went back.
    pub(super) fn caution(&self) -> f64 {
        0.5_f64.powi(self.state.rollbacks as i32)
    }

    fn goes_back(&self) -> bool {
        self.config.training.on_nan == OnNan::Rollback
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{Fault, Faults, Plan, RunConfig, Ui};

    #[test]
    fn a_gradient_that_is_not_finite_ends_the_run_with_the_name_of_its_tensor() {
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
            let place = tempfile::TempDir::new().unwrap();
            let plan = Plan::prepare(&config, None, None).unwrap();
            let mut run = plan.start(Some(&place.path().join("run"))).unwrap();
            run.plant(Faults::one(3, Fault::Gradient(value)));
            let error = run.fit(Ui::silent(Box::new(|| None))).unwrap_err().to_string();
            let told = format!(
                "the gradients add up to {value} in epoch 1, batch 3 (step 3): the first tensor that is not finite is that of `model.Mlp.hidden.0."
            );
            assert!(error.starts_with(&told), "{overrides:?}: {error}");
        }
    }

    #[test]
    fn a_run_that_may_go_back_ends_with_an_error_that_is_of_no_number() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let overrides = ["epochs=3", "on_nan=rollback", "loader.workers=1"];
        let overrides = overrides.map(|setting| format!("training.{setting}"));
        let config = RunConfig::read(&path, &overrides).unwrap();
        let place = tempfile::TempDir::new().unwrap();
        let plan = Plan::prepare(&config, None, None).unwrap();
        let mut run = plan.start(Some(&place.path().join("run"))).unwrap();
        run.plant(Faults::one(3, Fault::Source));
        let error = run.fit(Ui::silent(Box::new(|| None))).unwrap_err().to_string();
        assert!(error.contains("planted in the source"), "{error}");
    }
}
