use std::f64::consts::PI;

use ::config::Check;
use serde::{Deserialize, Serialize};

/// How the learning rate changes over a run: `schedule = "constant"` or `[schedule.cosine]`.
///
/// A function of the position in the run, with no state to save. If a resumed run gets more
/// epochs, the cosine stretches over all of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// The learning rate of the optimiser, throughout.
    #[default]
    Constant,
    /// Half a cosine down to a fraction of it (Loshchilov and Hutter 2017, arXiv:1608.03983).
    Cosine(CosineConfig),
}

/// The settings of the cosine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineConfig {
    /// How many epochs the learning rate first rises from 0, linearly.
    pub warmup_epochs: usize,
    /// The fraction of the learning rate at the end.
    pub final_fraction: f64,
}

impl ScheduleConfig {
    /// The factor of the learning rate after `step` steps of a run of `epochs` epochs.
    pub fn factor(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine(config) => config.factor(
                step,
                config.warmup_epochs * steps_per_epoch,
                epochs * steps_per_epoch,
            ),
        }
    }

    /// Notes every value that cannot be meant in a run of `epochs` epochs.
    pub fn check(&self, epochs: usize, check: &mut Check) {
        let Self::Cosine(config) = self else { return };
        check.table("cosine", |check| {
            check.within("final_fraction", config.final_fraction, 0.0..=1.0);
            check.require(
                "warmup_epochs",
                config.warmup_epochs < epochs,
                format_args!("{} is not less than training.epochs, {epochs}", config.warmup_epochs),
            );
        });
    }
}

impl CosineConfig {
    fn factor(&self, step: usize, warmup: usize, total: usize) -> f64 {
        if step < warmup {
            return (step + 1) as f64 / warmup as f64;
        }
        let progress = (step - warmup) as f64 / (total - warmup).max(1) as f64;
        let cosine = 0.5 * (1.0 + (PI * progress.min(1.0)).cos());
        self.final_fraction + (1.0 - self.final_fraction) * cosine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_rises_to_one_and_falls_to_its_final_fraction() {
        let schedule =
            ScheduleConfig::Cosine(CosineConfig { warmup_epochs: 2, final_fraction: 0.1 });
        let factor = |step| schedule.factor(step, 10, 12);
        assert_eq!(factor(0), 0.05);
        assert_eq!(factor(19), 1.0);
        assert_eq!(factor(20), 1.0);
        assert!((factor(70) - 0.55).abs() < 1e-12);
        assert!((factor(120) - 0.1).abs() < 1e-12);
    }
}
