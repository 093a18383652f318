//! Results of steps that stay on a graphics card until they are read back.
//!
//! A read waits until the card has finished all earlier work. So the scores and the sums of the
//! gradients of several steps are read together, and no step between waits for the card.

use burn::tensor::{TensorData, Transaction};
use data::SplitKind;

use super::non_finite::{GradientSums, NonFinite};
use super::{PassProgress, Trainer, TrainingObserver};
use crate::batch::PendingBatch;
use crate::error::RunError;
use crate::fault_injection::{Fault, FaultHooks};
use crate::model::Scores;

/// Number of steps of a graphics card that are read back together.
pub const READBACK_INTERVAL: usize = 32;

/// A step whose results are on the device.
pub struct PendingStep {
    /// Its batches.
    pub batches: Vec<PendingBatch>,
    /// Sums of its gradients.
    pub sums: GradientSums,
    /// Number of the step, from 1.
    pub step: usize,
    /// Number of the step in its epoch, from 1.
    pub epoch_step: usize,
    /// Its learning rate.
    pub learning_rate: f64,
    /// The fault injected into it.
    pub fault: Option<Fault>,
}

impl Trainer {
    /// Returns true if steps are read back later.
    pub(super) fn defers_readback(&self) -> bool {
        self.readback_interval > 1
    }

    /// Adds a step to the pending ones, and reads all of them back if there are enough.
    pub(super) fn defer(
        &mut self,
        step: PendingStep,
        observer: &mut dyn TrainingObserver,
    ) -> Result<(), RunError> {
        self.pending.push(step);
        if self.pending.len() < self.readback_interval { Ok(()) } else { self.read_back(observer) }
    }

    /// Reads all pending steps back, counts their scores, and fails with the error of the first
    /// failed one. Must precede everything that leaves the process.
    pub(super) fn read_back(
        &mut self,
        observer: &mut dyn TrainingObserver,
    ) -> Result<(), RunError> {
        let steps = std::mem::take(&mut self.pending);
        if steps.is_empty() {
            return Ok(());
        }
        tracing::debug!(steps = steps.len(), "read back");
        let mut values = read_all(&steps).into_iter();
        for step in &steps {
            let scores = self.scores_of(step, &mut values)?;
            self.state.scores += scores;
            let examples = self.state.scores.count as usize;
            let total = self.source.data.train.len();
            if self.reports() {
                let progress = PassProgress { examples, total, batches: step.epoch_step };
                observer.batch(SplitKind::Train, scores, progress, Some(step.learning_rate));
            }
        }
        Ok(())
    }

    /// The scores of a step, if everything in it is finite.
    fn scores_of(
        &self,
        step: &PendingStep,
        values: &mut impl Iterator<Item = TensorData>,
    ) -> Result<Scores, RunError> {
        let mut scores = Scores::default();
        let mut suspect = "the output of the model";
        for PendingBatch { labels, .. } in &step.batches {
            let (Some(logits), Some(input)) = (values.next(), values.next()) else { break };
            scores += self.optimization.classifier.scores(logits, labels);
            if !input.convert::<f64>().iter::<f64>().all(f64::is_finite) {
                suspect = "the input of the model";
            }
        }
        scores.loss_sum = step.fault.in_loss(scores.loss_sum);
        let error = match values.next().and_then(|sums| step.sums.first_non_finite(sums)) {
            _ if !scores.loss().is_finite() => {
                let (value, tensor) = (scores.loss(), suspect.to_owned());
                NonFinite { quantity: "loss is", value, tensor }
            }
            Some((path, sum)) => NonFinite::gradient(path, sum),
            None => return Ok(scores),
        };
        let NonFinite { quantity, value, tensor } = error;
        let (epoch, batch) = (self.state.epoch, step.epoch_step);
        Err(RunError::NonFinite { quantity, value, tensor, epoch, batch, step: step.step })
    }
}

/// For each step the logits and the sum of the inputs of each batch, then the sums of the
/// gradients: all with one wait for the device.
fn read_all(steps: &[PendingStep]) -> Vec<TensorData> {
    let mut all = Transaction::default();
    for step in steps {
        for batch in &step.batches {
            all = all.register(batch.logits.clone()).register(batch.input_sum.clone());
        }
        all = all.register(step.sums.values.clone());
    }
    all.execute()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{env, fs};

    use tempfile::TempDir;

    use artifacts::RunDir;

    use crate::{Experiment, Fault, Faults, Outcome, Run, RunConfig, RunError, Stop, Ui};

    /// A run of six epochs of five steps, with an average of the weights.
    fn run(temp: &TempDir, readback_interval: usize, more: &[&str]) -> Run {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let mut overrides: Vec<_> = more.iter().map(|&key| key.to_owned()).collect();
        overrides.extend(
            ["training.epochs=6", "training.report_every_epochs=2", "training.ema.decay=0.9"]
                .map(String::from),
        );
        let config = RunConfig::read(&path, &overrides).unwrap();
        let experiment = Experiment::prepare(&config, None, None).unwrap();
        let directory = temp.path().join("run");
        let mut run = if directory.exists() {
            experiment.resume(RunDir::open(&directory).unwrap()).unwrap()
        } else {
            experiment.start_at(&directory).unwrap()
        };
        run.set_readback_interval(readback_interval);
        run
    }

    fn finish(run: &mut Run) -> Result<Outcome, RunError> {
        run.train(Ui::silent(Box::new(|| None)))
    }

    /// Metrics and model of a finished run.
    fn results(temp: &TempDir) -> [Vec<u8>; 2] {
        ["metrics.jsonl", "best_model.bpk"].map(|name| {
            let path = temp.path().join("run").join(name);
            fs::read(path).unwrap()
        })
    }

    #[test]
    fn the_readback_interval_changes_no_bit() {
        let more = ["optimizer={adam={}}", "training.checkpoint.every_steps=7"];
        let results_with = |readback_interval| {
            let temp = TempDir::new().unwrap();
            finish(&mut run(&temp, readback_interval, &more)).unwrap();
            results(&temp)
        };
        let each = results_with(1);
        assert_eq!(each, results_with(3));
        assert_eq!(each, results_with(32));
    }

    #[test]
    fn a_stop_between_two_readbacks_loses_nothing() {
        let whole = TempDir::new().unwrap();
        finish(&mut run(&whole, 1, &[])).unwrap();
        let temp = TempDir::new().unwrap();
        let mut steps = 0;
        let stop = move || {
            steps += 1;
            (steps == 8).then_some(Stop::Interrupted)
        };
        let stopped = run(&temp, 3, &[]).train(Ui::silent(Box::new(stop))).unwrap();
        assert!(matches!(stopped, Outcome::Stopped(Stop::Interrupted)));
        finish(&mut run(&temp, 3, &[])).unwrap();
        assert_eq!(results(&temp), results(&whole));
    }

    #[test]
    fn a_deferred_step_fails_with_its_own_number_and_tensor() {
        let cases = [
            (
                Fault::Gradient(f32::NAN),
                "the sum of the gradients is NaN",
                "the gradient of `model.Mlp.hidden.0.",
            ),
            (Fault::Input(f32::NAN), "the loss is NaN", "the input of the model"),
            (Fault::Loss(f64::INFINITY), "the loss is inf", "the output of the model"),
        ];
        for (fault, what, tensor) in cases {
            let temp = TempDir::new().unwrap();
            let mut run = run(&temp, 3, &[]);
            run.inject(Faults::one(7, fault));
            let error = finish(&mut run).unwrap_err().to_string();
            let expected = format!(
                "{what} in epoch 2, batch 2 (step 7): the first tensor that is not finite is {tensor}"
            );
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn a_rollback_from_a_deferred_step_gives_the_same_bits() {
        let results_with = |readback_interval| {
            let temp = TempDir::new().unwrap();
            let mut run = run(&temp, readback_interval, &["training.on_nan=rollback"]);
            run.inject(Faults::one(12, Fault::Gradient(f32::NAN)));
            finish(&mut run).unwrap();
            results(&temp)
        };
        assert_eq!(results_with(1), results_with(3));
    }

    #[test]
    fn the_error_of_an_earlier_step_takes_precedence() {
        let temp = TempDir::new().unwrap();
        let mut run = run(&temp, 32, &["training.loader.workers=1"]);
        run.inject(Faults([(7, Fault::Loss(f64::NAN)), (8, Fault::Source)].into()));
        let error = finish(&mut run).unwrap_err().to_string();
        assert!(error.contains("(step 7)"), "{error}");
    }
}
