//! Fits the number of steps to the time budget of a run, before its first step and while it trains.

use std::mem;
use std::time::Instant;

use data::SplitKind;

use super::pacer::{Budget, Pacer, Position};
use super::{PassProgress, TimePlan, Trainer, TrainingObserver};
use crate::error::RunError;
use crate::model::Scores;

/// Number of steps before the speed is measured: the first ones allocate memory.
const WARM_UP: usize = 2;

/// Largest number of examples whose evaluation is timed.
const EVALUATED: usize = 128;

impl Trainer {
    /// Measures the speed, and fits the number of steps to `budget` unless the state has a plan for
    /// it. The steps that are timed leave no trace.
    pub fn start_pacing(&mut self, budget: Budget) -> Result<(), RunError> {
        let seconds = budget.seconds;
        let (step, example) = self.measure_speed(&budget)?;
        let pacer = Pacer::new(budget, step, example);
        let earlier = self.state.plan.take();
        if earlier.as_ref().is_some_and(|plan| plan.seconds == seconds) {
            self.state.plan = earlier;
        } else {
            let at = Position { is_reported: true, ..self.position() };
            let mut steps = earlier.map_or(Vec::new(), |plan| plan.steps);
            steps.extend(pacer.plan(at, None));
            self.state.plan = Some(TimePlan { seconds, steps });
        }
        if self.total_steps() <= self.state.step + 1 {
            tracing::warn!(
                "the time budget of {seconds:.0} s leaves one step: reading the data and evaluating the model take the rest of it, or more"
            );
        }
        self.pacer = Some(pacer);
        tracing::debug!(step, example, plan = ?self.state.plan, "planned");
        Ok(())
    }

    /// Changes the plan after a step, if the run would miss its time by much.
    pub(super) fn keep_pace(&mut self) {
        let (at, planned) = (self.position(), self.total_steps());
        // An epoch that is reported only because it is the last one stays the last one.
        let is_fixed =
            at.is_reported && !self.state.epoch.is_multiple_of(self.config.report_every_epochs);
        let Some(pacer) = &mut self.pacer else { return };
        if !pacer.count_step(planned.saturating_sub(at.step)) || is_fixed {
            return;
        }
        if let (Some(change), Some(plan)) = (pacer.plan(at, Some(planned)), &mut self.state.plan) {
            tracing::debug!(?change, "the plan has changed");
            plan.steps.retain(|earlier| earlier.from_step < change.from_step);
            plan.steps.push(change);
        }
    }

    fn position(&self) -> Position {
        let (step, epoch_step) = (self.state.step, self.state.epoch_step);
        Position { step, epoch_step, is_reported: self.reports() }
    }

    /// Seconds per training step and per evaluated example.
    fn measure_speed(&mut self, budget: &Budget) -> Result<(f64, f64), RunError> {
        let checkpoint = self.optimization.snapshot(&self.state)?.into_checkpoint()?;
        let (state, faults) = (self.state.clone(), mem::take(&mut self.faults));
        let measured = self.time_steps(budget.trial());
        let example = self.time_evaluation();
        (self.state, self.faults) = (state, faults);
        self.pending.clear();
        self.optimization.load(&checkpoint)?;
        Ok((measured?, example?))
    }

    /// Seconds per step, from steps that take about `window` seconds.
    fn time_steps(&mut self, window: f64) -> Result<f64, RunError> {
        let begun = Instant::now();
        let (mut started, mut steps) = (begun, 0_usize);
        loop {
            self.start_stages()?;
            let order = self.order();
            let batches: Vec<_> = order.chunks(self.config.step_examples(order.len())).collect();
            let mut loader = self.start_loader(&batches)?;
            for items in batches {
                self.step(items, loader.as_mut(), &mut NoObserver)?;
                steps += 1;
                let is_warm = steps >= 2 * WARM_UP && started.elapsed().as_secs_f64() >= window;
                if steps == WARM_UP || is_warm {
                    self.read_back(&mut NoObserver)?;
                }
                if steps == WARM_UP {
                    started = Instant::now();
                } else if is_warm {
                    return Ok(started.elapsed().as_secs_f64() / (steps - WARM_UP) as f64);
                } else if begun.elapsed().as_secs_f64() >= 4.0 * window {
                    // Steps so long that even the first ones are a large part of the budget.
                    return Ok(begun.elapsed().as_secs_f64() / steps as f64);
                }
            }
            self.state.next_epoch();
        }
    }

    /// Seconds to evaluate an example.
    fn time_evaluation(&self) -> Result<f64, RunError> {
        let data = &self.source.data;
        let examples = data.validation.as_ref().unwrap_or(&data.train);
        let some: Vec<usize> = (0..examples.len().min(EVALUATED)).collect();
        let examples = examples.select(&some);
        let (classifier, device) =
            (self.optimization.evaluated_model(), self.source.device.clone().inner());
        let started = Instant::now();
        classifier.evaluate(&examples, &device, |_, logits| drop(logits.into_data()))?;
        Ok(started.elapsed().as_secs_f64() / examples.len().max(1) as f64)
    }
}

/// Shows nothing.
struct NoObserver;

impl TrainingObserver for NoObserver {
    fn start_pass(&mut self, _: SplitKind, _: usize, _: usize) {}

    fn batch(&mut self, _: SplitKind, _: Scores, _: PassProgress, _: Option<f64>) {}

    fn end_pass(&mut self, _: SplitKind, _: usize) {}

    fn end_epoch(&mut self, _: usize) {}

    fn stop_requested(&self) -> bool {
        false
    }

    fn failure(&self) -> Option<String> {
        None
    }
}
