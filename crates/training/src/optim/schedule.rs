use std::f64::consts::PI;

use ::config::Check;
use serde::{Deserialize, Serialize};

/// Learning rate schedule: `[schedule]`.
///
/// A function of the step, without state to save. If a resumed run gets more epochs, a cosine
/// stretches over all of them, unless `horizon_epochs` is set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Number of epochs over which the learning rate first rises linearly from 0; at most those of
    /// the run.
    pub warmup_epochs: usize,
    /// Course of the learning rate after the warm-up.
    pub decay: Decay,
    /// Number of epochs over which warm-up and decay extend, `training.epochs` if absent. In later
    /// epochs the learning rate stays that of the last step before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub horizon_epochs: Option<usize>,
}

/// Course of the learning rate: `schedule.decay = "constant"` or `[schedule.decay.cosine]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Decay {
    /// Constant.
    #[default]
    Constant,
    /// Falls along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).
    Cosine(CosineConfig),
    /// Rises and falls along half a cosine each (Smith and Topin 2019, arXiv:1708.07120), like
    /// PyTorch's `OneCycleLR`. Includes a warm-up.
    OneCycle(OneCycleConfig),
    /// Divides the learning rate by `1 + rate * k` after `k` intervals.
    InverseTime(InverseTimeConfig),
    /// Multiplies the learning rate by `factor` per epoch, smoothly with every step.
    Exponential(ExponentialConfig),
    /// Multiplies the learning rate by `factor` after every interval.
    Step(StepConfig),
}

/// Decay along half a cosine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CosineConfig {
    /// Learning rate at the end, as a fraction of the learning rate of the optimizer.
    #[schemars(range(min = 0, max = 1))]
    pub final_fraction: f64,
}

/// The peak is the learning rate of the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycleConfig {
    /// Share of all steps in which the learning rate rises.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub rising_fraction: f64,
    /// Learning rate at the start, as a fraction of the peak.
    #[schemars(range(min = 0, max = 1))]
    pub initial_fraction: f64,
    /// Learning rate at the end, as a fraction of the peak.
    #[schemars(range(min = 0, max = 1))]
    pub final_fraction: f64,
}

impl Default for OneCycleConfig {
    fn default() -> Self {
        Self { rising_fraction: 0.3, initial_fraction: 0.04, final_fraction: 4e-6 }
    }
}

/// With an interval of 1, the `1 / (1 + decay_rate * epoch)` of the courses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InverseTimeConfig {
    /// Decay rate per interval.
    #[schemars(range(min = 0, max = 1e6))]
    pub rate: f64,
    /// Length of an interval in epochs.
    #[serde(default = "every_epoch")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub every_epochs: usize,
}

/// Exponential decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExponentialConfig {
    /// Factor per epoch.
    #[schemars(range(min = 1e-6, max = 1))]
    pub factor: f64,
}

/// Decay in steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// Factor per interval.
    #[schemars(range(min = 1e-6, max = 1))]
    pub factor: f64,
    /// Length of an interval in epochs.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub every_epochs: usize,
}

fn every_epoch() -> usize {
    1
}

impl ScheduleConfig {
    /// Factor of the learning rate after `step` steps of a run of `total_steps` steps.
    pub fn factor(&self, step: usize, steps_per_epoch: usize, total_steps: usize) -> f64 {
        let steps = |epochs: usize| epochs.saturating_mul(steps_per_epoch);
        let horizon = self.horizon_epochs.map_or(total_steps, steps);
        let step = self.horizon_epochs.map_or(step, |_| step.min(horizon.saturating_sub(1)));
        let warmup = steps(self.warmup_epochs).min(horizon);
        if step < warmup {
            return (step + 1) as f64 / warmup as f64;
        }
        let (done, total) = (step - warmup, horizon - warmup);
        let interval = |epochs: usize| (done / (epochs * steps_per_epoch)) as f64;
        match &self.decay {
            Decay::Constant => 1.0,
            Decay::Cosine(config) => {
                half_cosine(1.0, config.final_fraction, done as f64 / total.max(1) as f64)
            }
            Decay::OneCycle(config) => config.factor(done, total),
            Decay::InverseTime(config) => 1.0 / (1.0 + config.rate * interval(config.every_epochs)),
            Decay::Exponential(config) => config.factor.powf(done as f64 / steps_per_epoch as f64),
            Decay::Step(config) => config.factor.powf(interval(config.every_epochs)),
        }
    }

    /// Number of epochs over which the schedule of a run of `epochs` epochs extends.
    pub fn horizon(&self, epochs: usize) -> usize {
        self.horizon_epochs.unwrap_or(epochs)
    }

    /// Returns true if the learning rate of a step depends on the horizon.
    pub fn depends_on_horizon(&self) -> bool {
        matches!(self.decay, Decay::Cosine(_) | Decay::OneCycle(_))
    }

    /// A warning if the warm-up does not end before a run of `epochs` epochs does.
    pub fn warning(&self, epochs: usize) -> Option<String> {
        let horizon = self.horizon(epochs);
        (self.warmup_epochs > 0 && self.warmup_epochs >= horizon).then(|| {
            format!(
                "the warm-up of {} epochs is not shorter than the run: it is limited to {horizon}, and the learning rate reaches its full value at the end; lower schedule.warmup_epochs",
                self.warmup_epochs
            )
        })
    }

    pub(crate) fn check(&self, check: &mut Check) {
        check.require(
            "warmup_epochs",
            self.warmup_epochs == 0 || !matches!(self.decay, Decay::OneCycle(_)),
            "`one_cycle` includes a warm-up",
        );
    }
}

impl OneCycleConfig {
    /// Factor after `done` of `total` steps.
    fn factor(&self, done: usize, total: usize) -> f64 {
        let (done, last) = (done as f64, total as f64 - 1.0);
        let peak = (self.rising_fraction * total as f64 - 1.0).max(0.0);
        if done < peak {
            half_cosine(self.initial_fraction, 1.0, done / peak)
        } else {
            half_cosine(1.0, self.final_fraction, (done - peak) / (last - peak).max(1.0))
        }
    }
}

/// Half a cosine from `from` to `to`, at `progress` from 0 to 1.
fn half_cosine(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * progress.min(1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factors after each of `steps` steps of a run of 12 epochs of 10 steps.
    fn factors<const N: usize>(warmup_epochs: usize, decay: Decay, steps: [usize; N]) -> [f64; N] {
        let schedule = ScheduleConfig { warmup_epochs, decay, horizon_epochs: None };
        steps.map(|step| (schedule.factor(step, 10, 120) * 1e12).round() / 1e12)
    }

    #[test]
    fn the_cosine_rises_to_one_and_falls_to_its_final_fraction() {
        let cosine = Decay::Cosine(CosineConfig { final_fraction: 0.1 });
        assert_eq!(factors(2, cosine, [0, 19, 20, 70, 120]), [0.05, 1.0, 1.0, 0.55, 0.1]);
    }

    #[test]
    fn a_warm_up_longer_than_the_run_is_limited_to_it_with_a_warning() {
        let cosine = || Decay::Cosine(CosineConfig::default());
        assert_eq!(factors(20, cosine(), [0, 59, 119]), factors(12, cosine(), [0, 59, 119]));
        assert_eq!(factors(20, cosine(), [59, 119]), [0.5, 1.0]);
        let warning = |warmup_epochs| {
            ScheduleConfig { warmup_epochs, decay: cosine(), ..Default::default() }.warning(12)
        };
        assert!(warning(12).unwrap().contains("warmup_epochs"));
        assert_eq!([warning(0), warning(11)], [None, None]);
    }

    #[test]
    fn one_cycle_matches_pytorch() {
        let decay = Decay::OneCycle(OneCycleConfig::default());
        let pytorch =
            [0.040000000000000036, 0.4984648814317528, 1.0, 0.9996503537927898, 0.500002, 4e-06];
        for (found, expected) in factors(0, decay, [0, 17, 35, 36, 77, 119]).iter().zip(pytorch) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn inverse_time_is_the_formula_of_the_courses() {
        let decay =
            |every_epochs| Decay::InverseTime(InverseTimeConfig { rate: 1.0, every_epochs });
        let third = (1e12_f64 / 3.0).round() / 1e12;
        assert_eq!(factors(0, decay(1), [0, 9, 10, 20]), [1.0, 1.0, 0.5, third]);
        assert_eq!(factors(0, decay(4), [0, 39, 40, 80]), [1.0, 1.0, 0.5, third]);
        assert_eq!(factors(1, decay(1), [4, 10, 20]), [0.5, 1.0, 0.5]);
    }

    #[test]
    fn exponential_falls_every_step_and_step_every_interval() {
        let exponential = Decay::Exponential(ExponentialConfig { factor: 0.25 });
        assert_eq!(factors(0, exponential, [0, 5, 10, 20]), [1.0, 0.5, 0.25, 0.0625]);
        let step = Decay::Step(StepConfig { factor: 0.1, every_epochs: 3 });
        assert_eq!(factors(0, step, [0, 29, 30, 60]), [1.0, 1.0, 0.1, 0.01]);
    }

    #[test]
    fn after_the_horizon_the_rate_of_its_last_step_is_kept() {
        for decay in [
            Decay::Cosine(CosineConfig::default()),
            Decay::OneCycle(OneCycleConfig::default()),
            Decay::Exponential(ExponentialConfig { factor: 0.5 }),
            Decay::Step(StepConfig { factor: 0.1, every_epochs: 2 }),
        ] {
            let whole = ScheduleConfig { warmup_epochs: 0, decay, horizon_epochs: None };
            let resumed = ScheduleConfig { horizon_epochs: Some(4), ..whole.clone() };
            for step in 0..40 {
                assert_eq!(resumed.factor(step, 10, 120), whole.factor(step, 10, 40), "{whole:?}");
            }
            for step in 40..120 {
                assert_eq!(resumed.factor(step, 10, 120), whole.factor(39, 10, 40), "{whole:?}");
            }
        }
    }

    #[test]
    fn without_decay_the_rate_is_constant_after_the_warm_up() {
        assert_eq!(factors(1, Decay::Constant, [0, 9, 10, 119]), [0.1, 1.0, 1.0, 1.0]);
    }
}
