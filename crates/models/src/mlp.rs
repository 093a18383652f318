use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::Tensor;
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::initializer::Initializer;
use crate::parameters::Parameters;

/// A multi-layer perceptron: `[model.mlp]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// The number of units of each hidden layer, the one nearest to the image first.
    pub hidden: Vec<usize>,
    /// The non-linearity after each hidden layer.
    pub activation: Activation,
    /// Whether to normalise each hidden layer over its batch, before the activation.
    pub batch_norm: bool,
    /// How the initial weights are drawn.
    pub initializer: Initializer,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![128],
            activation: Activation::default(),
            batch_norm: true,
            initializer: Initializer::default(),
        }
    }
}

/// Hidden layers of linear, batch norm and activation, then a linear layer to the logits.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Hidden>,
    output: Linear,
    #[module(skip)]
    activation: Activation,
}

#[derive(Module, Debug)]
struct Hidden {
    linear: Linear,
    norm: Option<BatchNorm>,
}

impl MlpConfig {
    /// The model from `inputs` features to `classes` logits.
    pub fn init(&self, inputs: usize, classes: usize, parameters: &mut Parameters) -> Mlp {
        let mut width = inputs;
        let hidden = self.hidden.iter().map(|&units| {
            let linear = parameters.linear(width, units, self.initializer);
            let norm = self.batch_norm.then(|| parameters.batch_norm(&BatchNormConfig::new(units)));
            width = units;
            Hidden { linear, norm }
        });
        Mlp {
            hidden: hidden.collect(),
            output: parameters.linear(width, classes, self.initializer),
            activation: self.activation,
        }
    }

    /// The number of parameters of [`MlpConfig::init`]'s model; `None` if it overflows.
    pub fn parameters(&self, inputs: usize, classes: usize) -> Option<usize> {
        let norm = if self.batch_norm { 4 } else { 0 };
        let mut width = inputs;
        let mut total = 0_usize;
        for (units, per_unit) in
            self.hidden.iter().map(|units| (*units, norm)).chain([(classes, 0)])
        {
            let layer = width.checked_add(1 + per_unit)?.checked_mul(units)?;
            total = total.checked_add(layer)?;
            width = units;
        }
        Some(total)
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        let valid = self.hidden.iter().all(|units| (1..=65_536).contains(units));
        check.require("hidden", valid, "each layer needs between 1 and 65536 units");
    }
}

impl Mlp {
    /// Features `[batch, inputs]` to logits `[batch, classes]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let features = self
            .hidden
            .iter()
            .fold(features, |features, layer| self.activation.forward(layer.forward(features)));
        self.output.forward(features)
    }
}

impl Hidden {
    /// `[batch, inputs]` to `[batch, units]`.
    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let features = self.linear.forward(features);
        match &self.norm {
            Some(norm) => norm.forward(features),
            None => features,
        }
    }
}
