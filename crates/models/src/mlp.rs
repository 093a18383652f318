use burn::module::Module;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::Tensor;
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::{self, Epilogue};
use crate::convolution::NORM_EPSILON;
use crate::dropout::{DropoutRng, dropout};
use crate::initializer::{Generator, Initializer};
use crate::layer::{Layer, Operation};
use crate::linear;
use crate::parameter_init::{ParameterInit, WeightInit};

/// Hidden linear layers with batch norm, activation and dropout, then a linear output layer.
/// Without hidden layers, the model is logistic or softmax regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Number of units of each hidden layer, from input to output.
    #[schemars(inner(range(min = 1, max = 65_536)))]
    pub hidden: Vec<usize>,
    /// Activation function of each hidden layer.
    pub activation: Activation,
    /// Slope of `leaky_relu` for negative inputs.
    #[schemars(range(min = 0, max = 1))]
    pub negative_slope: f64,
    /// Position of batch normalisation in each hidden layer.
    pub batch_norm: NormPosition,
    /// Probability of dropping a unit of each hidden layer during training, one value per layer.
    /// An empty list disables dropout.
    #[schemars(extend("items" = { "type": "number", "minimum": 0, "exclusiveMaximum": 1 }))]
    pub dropout: Vec<f64>,
    /// Distribution of the initial weights.
    pub initializer: Initializer,
    /// Standard deviation of the initial weights for `initializer = "normal"`.
    #[schemars(range(min = 0, max = 1e6))]
    pub initializer_scale: f64,
    /// Random number generator of the initial weights.
    pub generator: Generator,
}

/// Position of batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) in a layer.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NormPosition {
    /// No batch normalisation.
    None,
    /// Between the linear map and the activation.
    #[default]
    BeforeActivation,
    /// After the activation.
    AfterActivation,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![128],
            activation: Activation::default(),
            negative_slope: 0.01,
            batch_norm: NormPosition::default(),
            dropout: Vec::new(),
            initializer: Initializer::default(),
            initializer_scale: 0.01,
            generator: Generator::default(),
        }
    }
}

/// Hidden layers and a linear output layer.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Hidden>,
    output: Linear,
}

#[derive(Module, Debug)]
struct Hidden {
    linear: Linear,
    norm: Option<BatchNorm>,
    #[module(skip)]
    norm_position: NormPosition,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    negative_slope: f64,
    #[module(skip)]
    dropout: f64,
}

impl MlpConfig {
    pub(crate) fn init(&self, inputs: usize, outputs: usize, init: &mut ParameterInit) -> Mlp {
        let mut width = inputs;
        let hidden = self.hidden.iter().enumerate().map(|(layer, &units)| {
            let hidden = self.hidden_layer(layer, width, units, init);
            width = units;
            hidden
        });
        Mlp { hidden: hidden.collect(), output: self.linear(width, outputs, init) }
    }

    fn hidden_layer(
        &self,
        layer: usize,
        inputs: usize,
        units: usize,
        init: &mut ParameterInit,
    ) -> Hidden {
        let linear = self.linear(inputs, units, init);
        let norm = match self.batch_norm {
            NormPosition::None => None,
            _ => Some(init.batch_norm(units)),
        };
        Hidden {
            linear,
            norm,
            norm_position: self.batch_norm,
            activation: self.activation,
            negative_slope: self.negative_slope,
            dropout: self.dropout.get(layer).copied().unwrap_or(0.0),
        }
    }

    fn linear(&self, inputs: usize, outputs: usize, init: &mut ParameterInit) -> Linear {
        let &Self { initializer, initializer_scale: scale, generator, .. } = self;
        init.linear(inputs, outputs, &WeightInit { initializer, scale, generator })
    }

    pub(crate) fn layers(&self, inputs: usize, outputs: usize) -> Vec<Layer> {
        let mut width = inputs;
        let hidden = self.hidden.iter().enumerate().map(|(index, &units)| {
            self.describe_hidden(index, std::mem::replace(&mut width, units), units)
        });
        let mut layers: Vec<_> = hidden.collect();
        layers.push(Layer::linear("output", width, outputs).in_stage(self.hidden.len()));
        layers
    }

    fn describe_hidden(&self, index: usize, inputs: usize, units: usize) -> Layer {
        let name = format!("hidden.{index}");
        let (parameters, norm) = (format!("{name}.linear"), format!("{name}.norm"));
        let linear = Layer::new(name, Operation::Linear { parameters, inputs, units }, vec![units]);
        let activate = |layer: Layer| layer.with_activation(self.activation, self.negative_slope);
        let layer = match self.batch_norm {
            NormPosition::None => activate(linear),
            NormPosition::BeforeActivation => activate(linear.with_batch_norm(norm, NORM_EPSILON)),
            NormPosition::AfterActivation => activate(linear).with_batch_norm(norm, NORM_EPSILON),
        };
        layer.with_dropout(self.dropout.get(index).copied().unwrap_or(0.0)).in_stage(index)
    }

    /// Returns the number of values that a training step holds per example: the inputs, the values
    /// that each layer saves for the backward pass, and their gradients. `None` if it overflows.
    pub fn activation_count(&self, inputs: usize, outputs: usize) -> Option<usize> {
        let norm = if self.batch_norm == NormPosition::None { 0 } else { 3 };
        let dropout = if self.dropout.is_empty() { 0 } else { 2 };
        let units = self.hidden.iter().try_fold(0_usize, |sum, &units| sum.checked_add(units))?;
        let kept = units.checked_mul(2 + norm + dropout)?.checked_add(outputs.checked_mul(4)?)?;
        kept.checked_mul(2)?.checked_add(inputs)
    }

    pub(crate) fn has_batch_norm(&self) -> bool {
        self.batch_norm != NormPosition::None && !self.hidden.is_empty()
    }

    pub(crate) fn with_linear_activation(&self) -> Option<Self> {
        let has_others = !self.hidden.is_empty() && self.activation != Activation::Linear;
        has_others.then(|| Self { activation: Activation::Linear, ..self.clone() })
    }

    pub(crate) fn without_dropout(&self) -> Option<Self> {
        let has_dropout = self.dropout.iter().any(|&probability| probability > 0.0);
        has_dropout.then(|| Self { dropout: Vec::new(), ..self.clone() })
    }

    pub(crate) fn check(&self, check: &mut Check) {
        check_layers(&self.hidden, check);
        let (layers, given) = (self.hidden.len(), self.dropout.len());
        check.require(
            "dropout",
            given == 0 || given == layers,
            format_args!(
                "{given} probabilities for {layers} hidden layers; one per layer is required"
            ),
        );
    }
}

pub fn check_layers(hidden: &[usize], check: &mut Check) {
    let message = format_args!("{} layers are given; at most 1000 are supported", hidden.len());
    check.require("hidden", hidden.len() <= 1000, message);
}

impl Mlp {
    /// Takes the first stages out of training.
    pub fn freeze(&mut self, stages: usize) {
        self.hidden.iter_mut().take(stages).for_each(|hidden| *hidden = hidden.valid());
    }

    /// Maps inputs `[batch, inputs]` to features `[batch, units]`. Dropout is active if `rng` is given.
    pub fn features(&self, inputs: Tensor<2>, rng: Option<&DropoutRng>) -> Tensor<2> {
        let layers = self.hidden.iter().enumerate();
        layers.fold(inputs, |features, (layer, hidden)| {
            dropout(hidden.forward(features), hidden.dropout, rng, layer)
        })
    }

    /// Maps features to logits `[batch, outputs]`.
    pub fn head(&self, features: Tensor<2>) -> Tensor<2> {
        linear::forward(&self.output, features)
    }
}

impl Hidden {
    /// Maps `[batch, inputs]` to `[batch, units]`.
    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let features = linear::forward(&self.linear, features);
        match (&self.norm, self.norm_position) {
            (Some(norm), NormPosition::BeforeActivation) => {
                let rectifier = self.activation.rectifier();
                let epilogue = Epilogue { residual: None, rectifier };
                let features = batch_norm::forward(norm, features, epilogue);
                if rectifier.is_some() { features } else { self.activate(features) }
            }
            (Some(norm), NormPosition::AfterActivation) => {
                batch_norm::forward(norm, self.activate(features), Epilogue::NONE)
            }
            _ => self.activate(features),
        }
    }

    fn activate(&self, features: Tensor<2>) -> Tensor<2> {
        self.activation.forward(features, self.negative_slope)
    }
}

#[cfg(test)]
mod tests;
