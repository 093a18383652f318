//! What the steps of a run leave on a graphics card until it is read.
//!
//! To read from a card is to wait until it has done all that it was asked for. So the scores and the
//! gradients' sums of many steps are read at once: in between, no step waits for the card.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, Transaction};

use super::Session;
use crate::error::RunError;
use crate::events::{Events, Pass, Position};
use crate::faults::Fault;
use crate::finite::GradientSums;
use crate::scores::Scores;

/// How many steps of a graphics card are read at once.
pub const READ_TOGETHER: usize = 32;

/// What tells how a step went, on the device.
pub struct Unread {
    /// The parts of the step.
    pub parts: Vec<Part>,
    /// The sums of its gradients.
    pub sums: GradientSums,
    /// Its number, from 1.
    pub step: usize,
    /// Its number in the epoch, from 1.
    pub epoch_step: usize,
    /// Its learning rate.
    pub learning_rate: f64,
    /// What goes wrong with it on purpose.
    pub fault: Option<Fault>,
}

/// What tells how one batch of a step went.
pub struct Part {
    /// `[batch, outputs]`
    pub logits: Tensor<2>,
    /// `[1]`, finite only if all inputs are.
    pub input_sum: Tensor<1>,
    /// The class indices, in host memory.
    pub labels: Arc<[u32]>,
}

impl Session {
    /// Whether steps are read together: their scores and sums come later.
    pub(super) fn reads_later(&self) -> bool {
        self.read_together > 1
    }

    /// Keeps a step until there are enough to be read.
    pub(super) fn keep_unread(
        &mut self,
        step: Unread,
        events: &mut Events,
    ) -> Result<(), RunError> {
        self.unread.push(step);
        if self.unread.len() < self.read_together { Ok(()) } else { self.read_steps(events) }
    }

    /// Reads what is kept of all steps up to here, counts their scores, and fails as the first of
    /// them should have done. Nothing may leave the session before.
    pub(super) fn read_steps(&mut self, events: &mut Events) -> Result<(), RunError> {
        let steps = std::mem::take(&mut self.unread);
        if steps.is_empty() {
            return Ok(());
        }
        tracing::debug!(steps = steps.len(), "read back");
        let mut read = read(&steps).into_iter();
        for step in &steps {
            let scores = self.outcome(step, &mut read)?;
            self.state.scores += scores;
            let examples = self.state.scores.count as usize;
            let total = self.data.train.len();
            let at = Position { examples, total, batches: step.epoch_step };
            events.batch(Pass::Train, scores, at, Some(step.learning_rate));
        }
        Ok(())
    }

    /// The scores of a step of which everything is finite.
    fn outcome(
        &self,
        step: &Unread,
        read: &mut impl Iterator<Item = TensorData>,
    ) -> Result<Scores, RunError> {
        let mut scores = Scores::default();
        let mut bad = "the output of the model";
        for Part { labels, .. } in &step.parts {
            let (Some(logits), Some(input)) = (read.next(), read.next()) else { break };
            scores += self.classifier.scores(logits, labels);
            if !input.convert::<f64>().iter::<f64>().all(f64::is_finite) {
                bad = "the input of the model";
            }
        }
        if let Some(Fault::Loss(value)) = step.fault {
            scores.loss_sum = value;
        }
        if !scores.loss().is_finite() {
            return Err(self.not_finite("loss is", scores.loss(), bad.to_owned(), step));
        }
        match read.next().and_then(|sums| step.sums.first_bad(sums)) {
            Some((path, sum)) => {
                let tensor = format!("that of `{path}`");
                Err(self.not_finite("gradients add up to", sum, tensor, step))
            }
            None => Ok(scores),
        }
    }

    fn not_finite(
        &self,
        what: &'static str,
        value: f64,
        tensor: String,
        step: &Unread,
    ) -> RunError {
        let (epoch, batch) = (self.state.epoch, step.epoch_step);
        RunError::NotFinite { what, value, tensor, epoch, batch, step: step.step }
    }
}

/// Logits and sum of the inputs of each part of a step, then the sums of its gradients, of all steps
/// with one wait for the device.
fn read(steps: &[Unread]) -> Vec<TensorData> {
    let mut all = Transaction::default();
    for step in steps {
        for part in &step.parts {
            all = all.register(part.logits.clone()).register(part.input_sum.clone());
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

    use crate::{Fault, Faults, Outcome, Plan, Run, RunConfig, RunDir, RunError, Stop, Ui};

    /// A run of five steps an epoch for six epochs, with dropout and an average of the weights, of
    /// which so many steps are read together.
    fn run(place: &TempDir, read_together: usize, more: &[&str]) -> Run {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let mut overrides: Vec<_> = more.iter().map(|&key| key.to_owned()).collect();
        overrides.extend(
            ["training.epochs=6", "training.report_every_epochs=2", "training.ema.decay=0.9"]
                .map(String::from),
        );
        let config = RunConfig::read(&path, &overrides).unwrap();
        let plan = Plan::prepare(&config, None, None).unwrap();
        let directory = place.path().join("run");
        let mut run = match directory.exists() {
            true => plan.resume(RunDir::open(&directory).unwrap()).unwrap(),
            false => plan.start(Some(&directory)).unwrap(),
        };
        run.read_together(read_together);
        run
    }

    fn finish(run: &mut Run) -> Result<Outcome, RunError> {
        run.fit(Ui::silent(Box::new(|| None)))
    }

    /// What a run leaves, to the last bit.
    fn left(place: &TempDir) -> [Vec<u8>; 2] {
        ["metrics.jsonl", "best_model.bpk"].map(|name| {
            let path = place.path().join("run").join(name);
            fs::read(path).unwrap()
        })
    }

    #[test]
    fn a_run_ends_with_the_same_bits_however_many_steps_are_read_together() {
        let more = ["optimizer={adam={}}", "training.checkpoint.every_steps=7"];
        let of = |read_together| {
            let place = TempDir::new().unwrap();
            finish(&mut run(&place, read_together, &more)).unwrap();
            left(&place)
        };
        let each = of(1);
        assert_eq!(each, of(3));
        assert_eq!(each, of(32));
    }

    #[test]
    fn a_stop_between_two_readings_loses_nothing() {
        let whole = TempDir::new().unwrap();
        finish(&mut run(&whole, 1, &[])).unwrap();
        let place = TempDir::new().unwrap();
        let mut steps = 0;
        let stop = move || {
            steps += 1;
            (steps == 8).then_some(Stop::Interrupted)
        };
        let stopped = run(&place, 3, &[]).fit(Ui::silent(Box::new(stop))).unwrap();
        assert!(matches!(stopped, Outcome::Stopped(Stop::Interrupted)));
        finish(&mut run(&place, 3, &[])).unwrap();
        assert_eq!(left(&place), left(&whole));
    }

    #[test]
    fn a_step_that_is_read_later_fails_with_its_own_number_and_tensor() {
        let cases = [
            (
                Fault::Gradient(f32::NAN),
                "the gradients add up to NaN",
                "that of `model.Mlp.hidden.0.",
            ),
            (Fault::Input(f32::NAN), "the loss is NaN", "the input of the model"),
            (Fault::Loss(f64::INFINITY), "the loss is inf", "the output of the model"),
        ];
        for (fault, what, tensor) in cases {
            let place = TempDir::new().unwrap();
            let mut run = run(&place, 3, &[]);
            run.plant(Faults::one(7, fault));
            let error = finish(&mut run).unwrap_err().to_string();
            let told = format!(
                "{what} in epoch 2, batch 2 (step 7): the first tensor that is not finite is {tensor}"
            );
            assert!(error.starts_with(&told), "{error}");
        }
    }

    #[test]
    fn a_run_goes_back_from_a_step_that_is_read_later_to_the_same_bits() {
        let of = |read_together| {
            let place = TempDir::new().unwrap();
            let mut run = run(&place, read_together, &["training.on_nan=rollback"]);
            run.plant(Faults::one(12, Fault::Gradient(f32::NAN)));
            finish(&mut run).unwrap();
            left(&place)
        };
        assert_eq!(of(1), of(3));
    }

    #[test]
    fn what_went_wrong_in_a_step_before_is_told_first() {
        let place = TempDir::new().unwrap();
        let mut run = run(&place, 32, &["training.loader.workers=1"]);
        run.plant(Faults([(7, Fault::Loss(f64::NAN)), (8, Fault::Source)].into()));
        let error = finish(&mut run).unwrap_err().to_string();
        assert!(error.contains("(step 7)"), "{error}");
    }
}
