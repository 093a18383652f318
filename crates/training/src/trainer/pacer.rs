//! Keeps a run within its time budget: the number of its steps follows the measured speed.

use std::time::Instant;

use crate::config::PlannedSteps;

/// Share of the budget in which the speed is measured.
const WINDOW: f64 = 0.02;

/// It is measured at least this many times in the steps that are left, so that a plan from a time of
/// heavy load does not end the run early.
const LOOKS: usize = 8;

/// Fewest steps in which it is measured.
const LEAST_STEPS: usize = 4;

/// Most seconds in which it is measured before the first step.
const LONGEST_TRIAL: f64 = 3.0;

/// Share of the budget by which a run may be expected to end early or late before its number of steps
/// is changed.
const TOLERANCE: f64 = 0.015;

/// Largest share of the budget that an epoch takes in a plan of whole epochs.
const LONGEST_EPOCH: f64 = 0.03;

/// Seconds from the last score to the end of the program: near-duplicates, report, files.
const END_SECONDS: f64 = 0.3;

/// The time budget of a run, and its speed.
#[derive(Debug, Clone)]
pub struct Pacer {
    budget: Budget,
    speed: Speed,
    /// Number of reports whose mean time [`Speed::report`] is, with the estimate before the first one.
    reports: f64,
    /// Start of the current measurement, without validations.
    window_start: Instant,
    window_steps: usize,
}

/// The time that a run may take, and the work that it is for.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Seconds from the start of the program to its end, those of earlier processes included.
    pub seconds: f64,
    /// Start of this process.
    pub started: Instant,
    /// Seconds of the earlier processes.
    pub earlier: f64,
    /// Largest number of steps.
    pub most_steps: usize,
    /// Steps per epoch.
    pub epoch_steps: usize,
    /// Epochs per report.
    pub report_epochs: usize,
    /// Number of examples that are evaluated for a report.
    pub validation: usize,
    /// Number of examples that are evaluated at the end.
    pub evaluated: usize,
    /// Steps of the final fit per step; 0 without one.
    pub final_steps: f64,
}

/// Measured times.
#[derive(Debug, Clone, Copy)]
pub struct Speed {
    /// Seconds per training step.
    pub step: f64,
    /// Seconds per report: validation and checkpoint.
    pub report: f64,
    /// Time to evaluate an example, in training steps: it changes with the load as they do.
    pub evaluation_steps: f64,
}

/// Where a run is.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    /// Steps done.
    pub step: usize,
    /// Steps done in this epoch.
    pub epoch_step: usize,
    /// Whether the epoch is reported, so that it can be the last one.
    pub is_reported: bool,
}

impl Budget {
    /// Seconds in which the speed is measured before the first step.
    pub fn trial(&self) -> f64 {
        (WINDOW * self.seconds).min(LONGEST_TRIAL)
    }

    fn elapsed(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64()
    }
}

impl Pacer {
    /// Starts from a first measurement of the time of a step and of the evaluation of an example, in
    /// seconds.
    pub fn new(budget: Budget, step: f64, example: f64) -> Self {
        let report = example * budget.validation as f64;
        let speed = Speed { step, report, evaluation_steps: example / step };
        Self { budget, speed, reports: 1.0, window_start: Instant::now(), window_steps: 0 }
    }

    /// Excludes `since`, the start of a report that has just ended, from the time of the steps.
    pub fn reported(&mut self, since: Instant) {
        let report = since.elapsed();
        self.window_start += report;
        self.reports += 1.0;
        // One report that waits for a busy disk does not end the run.
        self.speed.report += (report.as_secs_f64() - self.speed.report) / self.reports;
    }

    /// Counts a step, with `left` more in the plan, and returns whether enough were timed to look at
    /// the plan again.
    pub fn count_step(&mut self, left: usize) -> bool {
        self.window_steps += 1;
        let seconds = self.window_start.elapsed().as_secs_f64();
        let is_large_part = self.window_steps >= LEAST_STEPS.max(left / LOOKS);
        if seconds < WINDOW * self.budget.seconds && !is_large_part {
            return false;
        }
        self.speed.step = (self.speed.step + seconds / self.window_steps as f64) / 2.0;
        (self.window_start, self.window_steps) = (Instant::now(), 0);
        true
    }

    /// The steps of the run from `at` on; `None` if it will end in time with `planned` steps.
    pub fn plan(&self, at: Position, planned: Option<usize>) -> Option<PlannedSteps> {
        let left = self.budget.seconds
            - self.budget.elapsed()
            - self.end_seconds()
            - self.final_seconds(at.step);
        let total_steps = self.steps_within(left, at);
        if let Some(planned) = planned {
            let error = self.seconds_until(planned, at) - left;
            if error.abs() <= TOLERANCE * self.budget.seconds {
                return None;
            }
        }
        (planned != Some(total_steps)).then_some(PlannedSteps { from_step: at.step, total_steps })
    }

    /// Number of steps of the run that end in `left` seconds: of whole epochs if they are short.
    fn steps_within(&self, left: f64, at: Position) -> usize {
        let Budget { epoch_steps, most_steps, report_epochs, seconds, .. } = self.budget;
        let (step, report) = (self.step_seconds(), self.report_seconds());
        let report_share = report / (epoch_steps * report_epochs) as f64;
        let begun = (at.step - at.epoch_step) as f64;
        let steps = if epoch_steps as f64 * (step + report_share) <= LONGEST_EPOCH * seconds {
            let epochs = (at.epoch_step as f64 + left / (step + report_share)) / epoch_steps as f64;
            begun + epochs.round().max(1.0) * epoch_steps as f64
        } else {
            // The last epoch is reported although it may not be complete.
            let epochs = (left / (step + report_share) / epoch_steps as f64).ceil();
            let reports = (epochs / report_epochs as f64).ceil().max(1.0);
            at.step as f64 + (left - reports * report) / step
        };
        // An epoch that is not reported cannot become the last one any more.
        let least = if at.is_reported { at.step + 1 } else { begun as usize + epoch_steps + 1 };
        (steps as usize).max(least).min(most_steps)
    }

    /// Seconds from `at` to the end of the last of `total` steps and its report.
    fn seconds_until(&self, total: usize, at: Position) -> f64 {
        let steps = total.saturating_sub(at.step);
        let epochs = (at.epoch_step + steps).div_ceil(self.budget.epoch_steps);
        let reports = epochs.div_ceil(self.budget.report_epochs);
        steps as f64 * self.step_seconds() + reports as f64 * self.report_seconds()
    }

    /// Seconds that the final fit needs for the `steps` done so far.
    fn final_seconds(&self, steps: usize) -> f64 {
        steps as f64 * self.speed.step * self.budget.final_steps
    }

    /// Seconds of a step, in the final fit too.
    fn step_seconds(&self) -> f64 {
        self.speed.step * (1.0 + self.budget.final_steps)
    }

    /// Seconds from the end of the last report to the end of the program.
    fn end_seconds(&self) -> f64 {
        let evaluated = self.budget.evaluated as f64 * self.speed.evaluation_steps;
        evaluated * self.speed.step + END_SECONDS * self.fits()
    }

    /// Seconds of a report, in the final fit too, which writes checkpoints as well.
    fn report_seconds(&self) -> f64 {
        self.speed.report * self.fits()
    }

    /// Number of fits: one, or two with a final one.
    fn fits(&self) -> f64 {
        if self.budget.final_steps > 0.0 { 2.0 } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A pacer with 100 s, 50 of which are over, and steps of 0.1 s.
    fn pacer(epoch_steps: usize, most_steps: usize) -> Pacer {
        let started = Instant::now().checked_sub(Duration::from_secs(30)).unwrap();
        let budget = Budget {
            seconds: 100.0,
            started,
            earlier: 20.0,
            most_steps,
            epoch_steps,
            report_epochs: 1,
            validation: 10,
            evaluated: 100,
            final_steps: 0.0,
        };
        // A report of 0.1 s, and 1 s to evaluate the model at the end.
        Pacer::new(budget, 0.1, 0.01)
    }

    fn at(step: usize, epoch_step: usize) -> Position {
        Position { step, epoch_step, is_reported: true }
    }

    #[test]
    fn short_epochs_are_planned_whole_within_the_time_that_is_left() {
        // 48.7 s for epochs of 2.1 s.
        let planned = pacer(20, usize::MAX).plan(at(60, 0), None).unwrap();
        assert_eq!(planned, PlannedSteps { from_step: 60, total_steps: 60 + 23 * 20 });
        // In the middle of an epoch the rest of it counts.
        let planned = pacer(20, usize::MAX).plan(at(70, 10), None).unwrap();
        assert_eq!(planned.total_steps, 60 + 24 * 20);
        assert_eq!(pacer(20, 100).plan(at(60, 0), None).unwrap().total_steps, 100);
    }

    #[test]
    fn an_epoch_that_is_longer_than_the_budget_ends_early() {
        // 48.7 s, one report.
        let planned = pacer(10_000, usize::MAX).plan(at(500, 500), None).unwrap();
        assert!((985..=986).contains(&planned.total_steps), "{planned:?}");
        // Three reports of epochs of 20 s.
        let planned = pacer(200, usize::MAX).plan(at(400, 0), None).unwrap();
        assert!((883..=884).contains(&planned.total_steps), "{planned:?}");
    }

    #[test]
    fn a_final_fit_has_its_share_of_the_time() {
        let mut pacer = pacer(20, usize::MAX);
        pacer.budget.final_steps = 1.1;
        // 48.4 s, less 6.6 s for the 60 steps done, for epochs of 4.2 s and two reports: long ones.
        assert_eq!(pacer.plan(at(60, 0), None).unwrap().total_steps, 60 + 189);
    }

    #[test]
    fn a_plan_changes_only_if_the_run_would_end_much_too_early_or_late() {
        let pacer = pacer(20, usize::MAX);
        let changes = [500, 520, 540, 560].map(|planned| pacer.plan(at(60, 0), Some(planned)));
        let total = changes.map(|plan| plan.map(|plan| plan.total_steps));
        assert_eq!(total, [Some(520), None, Some(520), Some(520)]);
    }

    #[test]
    fn a_run_that_is_late_ends_with_the_epoch_that_it_can_end_with() {
        let mut pacer = pacer(20, usize::MAX);
        pacer.budget.earlier = 90.0;
        assert_eq!(pacer.plan(at(65, 5), Some(200)).unwrap().total_steps, 80);
        let unreported = Position { is_reported: false, ..at(65, 5) };
        assert_eq!(pacer.plan(unreported, Some(200)).unwrap().total_steps, 81);
        pacer.budget.epoch_steps = 10_000;
        assert_eq!(pacer.plan(at(65, 65), Some(200)).unwrap().total_steps, 66);
    }

    #[test]
    fn reports_do_not_count_as_time_of_steps() {
        let mut pacer = pacer(20, usize::MAX);
        pacer.window_start = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
        pacer.reported(Instant::now().checked_sub(Duration::from_secs(4)).unwrap());
        // The mean of 0.1 s and 4 s.
        assert!((pacer.speed.report - 2.05).abs() < 0.3);
        // One of the two seconds of the window.
        assert!(!pacer.count_step(1000));
        pacer.window_start = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
        assert!(pacer.count_step(1000));
        // The mean of 0.1 s and of 3 s for two steps.
        assert!((pacer.speed.step - 0.8).abs() < 0.1, "{}", pacer.speed.step);
    }

    #[test]
    fn a_plan_that_is_much_too_short_is_seen_before_it_ends() {
        let mut pacer = pacer(20, usize::MAX);
        // Measured under load: the steps take no time now.
        let looks = (0..40).rev().filter(|&left| pacer.count_step(left)).count();
        assert!(looks >= 4, "{looks}");
        assert!(pacer.plan(at(100, 0), Some(100)).unwrap().total_steps > 5_000);
    }
}
