use ::config::Check;
use burn::optim::{AdamConfig as BurnAdam, ModuleOptimizer};
use serde::{Deserialize, Serialize};

/// How parameters follow their gradients: `[optimizer.adam]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Adam (Kingma and Ba 2015, arXiv:1412.6980), with bias correction.
    Adam(AdamConfig),
}

/// The settings of Adam, with the defaults of its paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// The size of a step before the schedule is applied.
    pub learning_rate: f64,
    /// The decay of the mean of the gradients.
    pub beta_1: f64,
    /// The decay of the mean of their squares.
    pub beta_2: f64,
    /// What is added to the root of the second mean, against division by zero.
    pub epsilon: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }
    }
}

impl OptimizerConfig {
    /// The optimiser before its first step.
    pub fn init(&self) -> ModuleOptimizer {
        match self {
            Self::Adam(config) => BurnAdam::new()
                .with_beta_1(config.beta_1 as f32)
                .with_beta_2(config.beta_2 as f32)
                .with_epsilon(config.epsilon as f32)
                .init(),
        }
    }

    /// The learning rate before the schedule is applied.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(config) => config.learning_rate,
        }
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        match self {
            Self::Adam(config) => check.table("adam", |check| config.check(check)),
        }
    }
}

impl AdamConfig {
    fn check(&self, check: &mut Check) {
        // Burn computes in f32, where 0.99999999999 is 1 and 1e39 is infinite.
        let in_f32 = |value: f64| f64::from(value as f32);
        check.positive("learning_rate", in_f32(self.learning_rate));
        check.fraction("beta_1", in_f32(self.beta_1));
        check.fraction("beta_2", in_f32(self.beta_2));
        check.within("epsilon", self.epsilon, 1e-30..=1.0);
    }
}
