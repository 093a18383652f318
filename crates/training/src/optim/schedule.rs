use std::f64::consts::PI;

use ::config::Check;
use serde::{Deserialize, Serialize};

/// How the learning rate changes over a run: `[schedule]`.
///
/// A function of the position in the run, with no state to save. If a resumed run gets more
/// epochs, the cosine stretches over all of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// How many epochs the learning rate first rises from 0, linearly.
    pub warmup_epochs: usize,
    /// How it falls from then on.
    pub decay: Decay,
}

/// How the learning rate falls: `schedule.decay = "constant"` or `[schedule.decay.cosine]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Decay {
    /// Not at all.
    #[default]
    Constant,
    /// Half a cosine down to a fraction of it (Loshchilov and Hutter 2017, arXiv:1608.03983).
    Cosine(CosineConfig),
    /// Up to it and down again, half a cosine each (Smith and Topin 2019, arXiv:1708.07120), as
    /// PyTorch's `OneCycleLR`. It is its own warm-up.
    OneCycle(OneCycleConfig),
    /// Divided by `1 + rate * k` after `k` intervals.
    InverseTime(InverseTimeConfig),
    /// Multiplied by `factor` to the power of the epochs, a little every step.
    Exponential(ExponentialConfig),
    /// Multiplied by `factor` once every interval.
    Step(StepConfig),
}

/// The settings of the cosine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CosineConfig {
    /// The fraction of the learning rate at the end.
    #[schemars(range(min = 0, max = 1))]
    pub final_fraction: f64,
}

/// The settings of `one_cycle`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycleConfig {
    /// The share of all steps in which the learning rate rises.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub rising_fraction: f64,
    /// The fraction of it at the start.
    #[schemars(range(min = 0, max = 1))]
    pub initial_fraction: f64,
    /// The fraction of it at the end.
    #[schemars(range(min = 0, max = 1))]
    pub final_fraction: f64,
}

impl Default for OneCycleConfig {
    fn default() -> Self {
        Self { rising_fraction: 0.3, initial_fraction: 0.04, final_fraction: 4e-6 }
    }
}

/// The settings of `inverse_time`, the courses' `1 / (1 + decay_rate * epoch)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InverseTimeConfig {
    /// The decay rate.
    #[schemars(range(min = 0, max = 1e6))]
    pub rate: f64,
    /// The length of an interval in epochs.
    #[serde(default = "every_epoch")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub every_epochs: usize,
}

/// The settings of `exponential`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExponentialConfig {
    /// The factor of one epoch.
    #[schemars(range(min = 1e-6, max = 1))]
    pub factor: f64,
}

/// The settings of `step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// The factor of one interval.
    #[schemars(range(min = 1e-6, max = 1))]
    pub factor: f64,
    /// The length of an interval in epochs.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub every_epochs: usize,
}

fn every_epoch() -> usize {
    1
}

impl ScheduleConfig {
    /// The factor of the learning rate after `step` steps of a run of `epochs` epochs.
    pub fn factor(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        let warmup = self.warmup_epochs * steps_per_epoch;
        if step < warmup {
            return (step + 1) as f64 / warmup as f64;
        }
        let (done, total) = (step - warmup, epochs * steps_per_epoch - warmup);
        let interval = |epochs: usize| (done / (epochs * steps_per_epoch)) as f64;
        match &self.decay {
            Decay::Constant => 1.0,
            Decay::Cosine(config) => config.factor(done as f64 / total.max(1) as f64),
            Decay::OneCycle(config) => config.factor(done, total),
            Decay::InverseTime(config) => 1.0 / (1.0 + config.rate * interval(config.every_epochs)),
            Decay::Exponential(config) => config.factor.powf(done as f64 / steps_per_epoch as f64),
            Decay::Step(config) => config.factor.powf(interval(config.every_epochs)),
        }
    }

    /// Notes every value that cannot be meant in a run of `epochs` epochs.
    pub fn check(&self, epochs: usize, check: &mut Check) {
        check.require(
            "warmup_epochs",
            self.warmup_epochs == 0 || self.warmup_epochs < epochs,
            format_args!("{} is not less than training.epochs, {epochs}", self.warmup_epochs),
        );
        check.require(
            "warmup_epochs",
            self.warmup_epochs == 0 || !matches!(self.decay, Decay::OneCycle(_)),
            "`one_cycle` begins with a rise of its own",
        );
    }
}

impl Decay {}

impl CosineConfig {
    fn factor(&self, progress: f64) -> f64 {
        half_cosine(1.0, self.final_fraction, progress)
    }
}

impl OneCycleConfig {
    /// After `done` of `total` steps.
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

/// Half a cosine from one value to another.
fn half_cosine(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * progress.min(1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factors after so many steps of a run of 12 epochs of 10 steps.
    fn factors<const N: usize>(warmup_epochs: usize, decay: Decay, steps: [usize; N]) -> [f64; N] {
        let schedule = ScheduleConfig { warmup_epochs, decay };
        steps.map(|step| (schedule.factor(step, 10, 12) * 1e12).round() / 1e12)
    }

    #[test]
    fn the_cosine_rises_to_one_and_falls_to_its_final_fraction() {
        let cosine = Decay::Cosine(CosineConfig { final_fraction: 0.1 });
        assert_eq!(factors(2, cosine, [0, 19, 20, 70, 120]), [0.05, 1.0, 1.0, 0.55, 0.1]);
    }

    #[test]
    fn one_cycle_is_that_of_pytorch() {
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
    fn without_decay_the_rate_stays_after_its_warm_up() {
        assert_eq!(factors(1, Decay::Constant, [0, 9, 10, 119]), [0.1, 1.0, 1.0, 1.0]);
    }
}
