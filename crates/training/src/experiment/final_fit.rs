//! The final fit of a run: `training.final_fit`.

use std::sync::Arc;

use artifacts::{ArtifactError, DataIdentity, Environment, RunDir, Summary};
use data::Split;

use super::{Experiment, Run, resume};
use crate::config::{BestMetric, PlannedSteps, RunConfig};
use crate::error::RunError;

impl RunConfig {
    /// The config of the final fit of a run with this config and the result `summary`, whose epochs
    /// have `growth` times as many examples. Its schedule has the course of the run, up to the epoch
    /// of the best model.
    fn final_fit(&self, summary: &Summary, growth: f64) -> Self {
        let mut config = self.clone();
        let training = &mut config.training;
        let epochs = summary.best.as_ref().map_or(summary.epochs, |best| best.epoch);
        training.plan.clear();
        if training.max_minutes.take().is_some() && epochs == summary.epochs {
            // The last epoch may have been incomplete.
            let total_steps = (summary.steps as f64 * growth).round() as usize;
            training.plan = vec![PlannedSteps { from_step: 0, total_steps }];
        } else if config.schedule.depends_on_horizon() {
            let all = training.epochs.unwrap_or(summary.epochs);
            config.schedule.horizon_epochs = Some(config.schedule.horizon(all));
        }
        training.epochs = Some(epochs);
        (training.final_fit, training.early_stopping) = (false, None);
        training.best_metric = Some(BestMetric::Last);
        config.split.train_on_validation = true;
        config.reference = None;
        config
    }
}

impl Run {
    /// The final fit of this run, which has the result `summary`: new, resumed or finished. `None` if
    /// the config has none.
    pub fn final_fit(&self, summary: &Summary) -> Result<Option<Self>, RunError> {
        if !self.config().training.final_fit {
            return Ok(None);
        }
        let experiment = self.experiment.final_fit(summary)?;
        let path = self.directory.final_fit();
        Ok(Some(match RunDir::open(&path) {
            Ok(directory) => experiment.resume(directory)?,
            Err(ArtifactError::NotARun { .. }) => experiment.start_at(&path)?,
            Err(error) => return Err(error.into()),
        }))
    }
}

impl Experiment {
    fn final_fit(&self, summary: &Summary) -> Result<Self, RunError> {
        let Split { train, validation, test, classes } = &*self.data;
        let data = Split {
            train: train.clone(),
            validation: validation.clone(),
            test: test.clone(),
            classes: classes.clone(),
        }
        .with_validation_in_train();
        let growth = data.train.len() as f64 / train.len() as f64;
        let config = self.config.final_fit(summary, growth);
        let DataIdentity { synthetic, sha256, fit, .. } = self.environment.data.clone();
        let identity = DataIdentity { fit, ..DataIdentity::new(synthetic, sha256, &data) };
        let run = resume::run_id(&config, &identity)?;
        Ok(Self {
            config,
            data: Arc::new(data),
            device: self.device.clone(),
            environment: Environment { run, data: identity, ..self.environment.clone() },
            estimate: self.estimate,
            initial_weights: None,
            temperature: summary.calibration.and_then(|calibration| calibration.temperature),
            is_batch_automatic: false,
            distributed: self.distributed.clone(),
            started: self.started,
            notes: Vec::new(),
            warnings: Vec::new(),
        })
    }
}
