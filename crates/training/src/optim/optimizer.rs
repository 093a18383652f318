mod adam;
mod gradient_sum;
#[cfg(test)]
mod tests;

use ::config::Check;
use burn::optim::momentum::MomentumConfig as BurnMomentum;
use burn::optim::{ModuleOptimizer, RmsPropConfig as BurnRmsProp, SgdConfig as BurnSgd};
use serde::{Deserialize, Serialize};

use adam::Adam;
pub use gradient_sum::GradientSum;

/// How parameters follow their gradients: `[optimizer.adam]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Gradient descent: batch, mini-batch or stochastic, as `training.batch_size` says.
    Sgd(SgdConfig),
    /// Gradient descent along the exponentially weighted average of the gradients.
    Momentum(MomentumConfig),
    /// RMSProp (Tieleman and Hinton 2012).
    #[serde(rename = "rmsprop")]
    RmsProp(RmsPropConfig),
    /// Adam (Kingma and Ba 2015, arXiv:1412.6980), with bias correction.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101).
    #[serde(rename = "adamw")]
    AdamW(AdamWConfig),
}

/// Gradient descent, `p -= learning_rate * v` with `v = momentum * v + g`, as in PyTorch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// The size of a step before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// How much of the last step is kept; 0 for plain gradient descent.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub momentum: f64,
    /// Whether to look ahead (Nesterov 1983).
    pub nesterov: bool,
}

/// Gradient descent with momentum as the courses define it, `p -= learning_rate * v` with
/// `v = beta * v + (1 - beta) * g`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MomentumConfig {
    /// The size of a step before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// The decay of the mean of the gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta: f64,
}

/// RMSProp, `p -= learning_rate * g / (sqrt(s) + epsilon)` with `s = beta * s + (1 - beta) * g^2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropConfig {
    /// The size of a step before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// The decay of the mean of the squared gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta: f64,
    /// What is added to its root, against division by zero.
    #[schemars(range(min = 1e-30, max = 1))]
    pub epsilon: f64,
}

/// The settings of Adam, with the defaults of its paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// The size of a step before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// The decay of the mean of the gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_1: f64,
    /// The decay of the mean of their squares.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_2: f64,
    /// What is added to the root of the second mean, against division by zero.
    #[schemars(range(min = 1e-30, max = 1))]
    pub epsilon: f64,
}

/// The settings of AdamW: those of Adam, and the decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// The size of a step before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// The decay of the mean of the gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_1: f64,
    /// The decay of the mean of their squares.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_2: f64,
    /// What is added to the root of the second mean, against division by zero.
    #[schemars(range(min = 1e-30, max = 1))]
    pub epsilon: f64,
    /// The share of every weight that a step takes away, times the learning rate; norms and biases
    /// keep all.
    #[schemars(range(min = 0, max = 1e3))]
    pub weight_decay: f64,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-2, momentum: 0.0, nesterov: false }
    }
}

impl Default for MomentumConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-2, beta: 0.9 }
    }
}

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta: 0.9, epsilon: 1e-8 }
    }
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }
    }
}

impl Default for AdamWConfig {
    fn default() -> Self {
        let AdamConfig { learning_rate, beta_1, beta_2, epsilon } = AdamConfig::default();
        Self { learning_rate, beta_1, beta_2, epsilon, weight_decay: 1e-2 }
    }
}

impl OptimizerConfig {
    /// How many numbers it keeps for each parameter.
    pub fn moments(&self) -> u64 {
        match self {
            Self::Sgd(config) => u64::from(config.momentum > 0.0),
            Self::Momentum(_) | Self::RmsProp(_) => 1,
            Self::Adam(_) | Self::AdamW(_) => 2,
        }
    }

    /// The optimiser before its first step.
    pub fn init(&self) -> ModuleOptimizer {
        self.init_summing(&GradientSum::default())
    }

    /// The same, which tells `sum` of its gradients in every step if it
    /// [sums them up](Self::sums_gradients).
    pub fn init_summing(&self, sum: &GradientSum) -> ModuleOptimizer {
        match self {
            Self::Sgd(config) => config.init(),
            Self::Momentum(config) => config.init(),
            Self::RmsProp(config) => config.init(),
            Self::Adam(config) => config.init(sum),
            Self::AdamW(config) => config.init(sum),
        }
    }

    /// Whether the optimiser sums its gradients up.
    pub fn sums_gradients(&self) -> bool {
        matches!(self, Self::Adam(_) | Self::AdamW(_))
    }

    /// The learning rate before the schedule is applied.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(config) => config.learning_rate,
            Self::Momentum(config) => config.learning_rate,
            Self::RmsProp(config) => config.learning_rate,
            Self::Adam(config) => config.learning_rate,
            Self::AdamW(config) => config.learning_rate,
        }
    }

    /// What Burn's optimiser takes as its learning rate for a step of this `learning_rate`.
    pub fn step_size(&self, learning_rate: f64) -> f64 {
        match self {
            // The courses' average is Burn's running sum times (1 - beta).
            Self::Momentum(config) => learning_rate * (1.0 - config.beta),
            _ => learning_rate,
        }
    }

    /// Notes what cannot be meant, beside numbers outside their range.
    pub fn check(&self, check: &mut Check) {
        if let Self::Sgd(config) = self {
            check.table("sgd", |check| config.check(check));
        }
    }
}

impl SgdConfig {
    fn init(&self) -> ModuleOptimizer {
        let momentum = BurnMomentum::new().with_momentum(self.momentum).with_dampening(0.0);
        let momentum = momentum.with_nesterov(self.nesterov);
        BurnSgd::new().with_momentum((self.momentum > 0.0).then_some(momentum)).init()
    }

    fn check(&self, check: &mut Check) {
        let possible = !self.nesterov || self.momentum > 0.0;
        check.require("nesterov", possible, "to look ahead needs `momentum`, for example 0.9");
    }
}

impl MomentumConfig {
    fn init(&self) -> ModuleOptimizer {
        let momentum = BurnMomentum::new().with_momentum(self.beta).with_dampening(0.0);
        BurnSgd::new().with_momentum(Some(momentum)).init()
    }
}

impl RmsPropConfig {
    fn init(&self) -> ModuleOptimizer {
        BurnRmsProp::new()
            .with_alpha(self.beta as f32)
            .with_momentum(0.0)
            .with_epsilon(self.epsilon as f32)
            .init()
    }
}

impl AdamConfig {
    fn init(&self, sum: &GradientSum) -> ModuleOptimizer {
        let &Self { learning_rate, beta_1, beta_2, epsilon } = self;
        AdamWConfig { learning_rate, beta_1, beta_2, epsilon, weight_decay: 0.0 }.init(sum)
    }
}

impl AdamWConfig {
    fn init(&self, sum: &GradientSum) -> ModuleOptimizer {
        let &Self { beta_1, beta_2, epsilon, weight_decay, .. } = self;
        let gradient_sum = sum.clone();
        ModuleOptimizer::from(Adam { beta_1, beta_2, epsilon, weight_decay, gradient_sum })
    }
}
