mod adam;
#[cfg(test)]
mod tests;

use ::config::Check;
use burn::optim::momentum::MomentumConfig as BurnMomentum;
use burn::optim::{ModuleOptimizer, RmsPropConfig as BurnRmsProp, SgdConfig as BurnSgd};
use serde::{Deserialize, Serialize};

use adam::Adam;
pub use adam::GradientNorms;

/// The optimizer: `[optimizer.adam]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Gradient descent: batch, mini-batch or stochastic, depending on `training.batch_size`.
    Sgd(SgdConfig),
    /// Gradient descent with the exponential moving average of the gradients.
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

/// The update is `p -= learning_rate * v` with `v = momentum * v + g`, as in PyTorch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// Learning rate, before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Momentum; 0 for plain gradient descent.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub momentum: f64,
    /// Nesterov momentum (Nesterov 1983). Requires `momentum`.
    pub nesterov: bool,
}

/// The update is `p -= learning_rate * v` with `v = beta * v + (1 - beta) * g`, the definition of
/// the courses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MomentumConfig {
    /// Learning rate, before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Decay of the moving average of the gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta: f64,
}

/// The update is `p -= learning_rate * g / (sqrt(s) + epsilon)` with `s = beta * s + (1 - beta) *
/// g^2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropConfig {
    /// Learning rate, before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Decay of the moving average of the squared gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta: f64,
    /// Added to the root of that average to avoid division by zero.
    #[schemars(range(min = 1e-30, max = 1))]
    pub epsilon: f64,
}

/// The defaults are those of the paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Learning rate, before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Decay of the moving average of the gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_1: f64,
    /// Decay of the moving average of the squared gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_2: f64,
    /// Added to the root of the second average to avoid division by zero.
    #[schemars(range(min = 1e-30, max = 1))]
    pub epsilon: f64,
}

/// The keys of Adam and a weight decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// Learning rate, before the schedule is applied.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Decay of the moving average of the gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_1: f64,
    /// Decay of the moving average of the squared gradients.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub beta_2: f64,
    /// Added to the root of the second average to avoid division by zero.
    #[schemars(range(min = 1e-30, max = 1))]
    pub epsilon: f64,
    /// Weight decay: each step multiplies the weights by `1 - learning_rate * weight_decay`. Biases
    /// and the parameters of batch norm are not decayed.
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
    /// Number of values of optimizer state per parameter.
    pub fn moments(&self) -> u64 {
        match self {
            Self::Sgd(config) => u64::from(config.momentum > 0.0),
            Self::Momentum(_) | Self::RmsProp(_) => 1,
            Self::Adam(_) | Self::AdamW(_) => 2,
        }
    }

    /// The optimizer before its first step.
    pub fn init(&self) -> ModuleOptimizer {
        self.init_measuring(&GradientNorms::default())
    }

    /// Like [`init`](Self::init); adds the norms of the gradients of each step to `norms` if the
    /// optimizer [computes them](Self::measures_gradients).
    pub fn init_measuring(&self, norms: &GradientNorms) -> ModuleOptimizer {
        match self {
            Self::Sgd(config) => {
                let momentum = momentum(config.momentum).with_nesterov(config.nesterov);
                BurnSgd::new().with_momentum((config.momentum > 0.0).then_some(momentum)).init()
            }
            Self::Momentum(config) => {
                BurnSgd::new().with_momentum(Some(momentum(config.beta))).init()
            }
            Self::RmsProp(config) => BurnRmsProp::new()
                .with_alpha(config.beta as f32)
                .with_momentum(0.0)
                .with_epsilon(config.epsilon as f32)
                .init(),
            &Self::Adam(AdamConfig { beta_1, beta_2, epsilon, .. }) => {
                let gradient_norms = norms.clone();
                Adam { beta_1, beta_2, epsilon, weight_decay: 0.0, gradient_norms }.into()
            }
            &Self::AdamW(AdamWConfig { beta_1, beta_2, epsilon, weight_decay, .. }) => {
                let gradient_norms = norms.clone();
                Adam { beta_1, beta_2, epsilon, weight_decay, gradient_norms }.into()
            }
        }
    }

    /// Returns true if the optimizer computes the norms of the gradients as it reads them.
    pub fn measures_gradients(&self) -> bool {
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

    /// The key of the learning rate in a config.
    pub fn learning_rate_key(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "optimizer.sgd.learning_rate",
            Self::Momentum(_) => "optimizer.momentum.learning_rate",
            Self::RmsProp(_) => "optimizer.rmsprop.learning_rate",
            Self::Adam(_) => "optimizer.adam.learning_rate",
            Self::AdamW(_) => "optimizer.adamw.learning_rate",
        }
    }

    /// The value to pass to Burn's optimizer as the learning rate for a step of `learning_rate`.
    pub fn step_size(&self, learning_rate: f64) -> f64 {
        match self {
            // The moving average of the courses is Burn's running sum times (1 - beta).
            Self::Momentum(config) => learning_rate * (1.0 - config.beta),
            _ => learning_rate,
        }
    }

    pub(crate) fn check(&self, check: &mut Check) {
        if let Self::Sgd(config) = self {
            check.table("sgd", |check| config.check(check));
        }
    }
}

impl SgdConfig {
    fn check(&self, check: &mut Check) {
        let is_valid = !self.nesterov || self.momentum > 0.0;
        check.require("nesterov", is_valid, "Nesterov momentum needs `momentum`, for example 0.9");
    }
}

fn momentum(momentum: f64) -> BurnMomentum {
    BurnMomentum::new().with_momentum(momentum).with_dampening(0.0)
}
