use burn::module::Module;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::Tensor;
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::{self, Around};
use crate::dense;
use crate::initializer::{Generator, Initializer};
use crate::layer::Layer;
use crate::noise::Noise;
use crate::parameters::{FirstWeights, Parameters};

/// A multi-layer perceptron: `[model.mlp]`. Without hidden layers it is logistic or softmax
/// regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// The number of units of each hidden layer, the one nearest to the input first.
    #[schemars(inner(range(min = 1, max = 65_536)))]
    pub hidden: Vec<usize>,
    /// The function after each hidden layer.
    pub activation: Activation,
    /// The slope of `leaky_relu` where its input is negative.
    #[schemars(range(min = 0, max = 1))]
    pub negative_slope: f64,
    /// Where each hidden layer is normalised over its batch.
    pub batch_norm: NormPosition,
    /// The probability with which a unit of each hidden layer is dropped in training, one number
    /// a layer; none for no dropout.
    #[schemars(extend("items" = { "type": "number", "minimum": 0, "exclusiveMaximum": 1 }))]
    pub dropout: Vec<f64>,
    /// How the initial weights are drawn.
    pub initializer: Initializer,
    /// The standard deviation of the initializer `normal`.
    #[schemars(range(min = 0, max = 1e6))]
    pub initializer_scale: f64,
    /// Where its random numbers come from.
    pub generator: Generator,
}

/// Where batch norm (Ioffe and Szegedy 2015, arXiv:1502.03167) stands in a layer.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NormPosition {
    /// Nowhere.
    None,
    /// Between the linear map and its activation, as the courses do.
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

/// Hidden layers of linear, batch norm, activation and dropout, then a linear layer to the logits.
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
    /// The model from `inputs` features to `outputs` logits.
    pub fn init(&self, inputs: usize, outputs: usize, parameters: &mut Parameters) -> Mlp {
        let mut width = inputs;
        let hidden = self.hidden.iter().enumerate().map(|(layer, &units)| {
            let hidden = self.layer(layer, width, units, parameters);
            width = units;
            hidden
        });
        Mlp { hidden: hidden.collect(), output: self.linear(width, outputs, parameters) }
    }

    fn layer(
        &self,
        layer: usize,
        inputs: usize,
        units: usize,
        parameters: &mut Parameters,
    ) -> Hidden {
        let linear = self.linear(inputs, units, parameters);
        let norm = match self.batch_norm {
            NormPosition::None => None,
            _ => Some(parameters.batch_norm(units)),
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

    fn linear(&self, inputs: usize, outputs: usize, parameters: &mut Parameters) -> Linear {
        let &Self { initializer, initializer_scale: scale, generator, .. } = self;
        parameters.linear(inputs, outputs, &FirstWeights { initializer, scale, generator })
    }

    /// The layers of [`MlpConfig::init`]'s model; `None` if a number overflows.
    pub fn layers(&self, inputs: usize, outputs: usize) -> Option<Vec<Layer>> {
        let mut width = inputs;
        let hidden = self.hidden.iter().enumerate().map(|(index, &units)| {
            let inputs = std::mem::replace(&mut width, units);
            self.finished(index, Layer::linear(format!("hidden.{index}"), inputs, units)?)
        });
        let mut layers = hidden.collect::<Option<Vec<_>>>()?;
        layers.push(Layer::linear("output", width, outputs)?);
        Some(layers)
    }

    /// The linear map of a hidden layer with what follows it.
    fn finished(&self, index: usize, linear: Layer) -> Option<Layer> {
        let activation = self.activation;
        let layer = match self.batch_norm {
            NormPosition::None => activation.after(linear),
            NormPosition::BeforeActivation => activation.after(batch_norm::after(linear)?),
            NormPosition::AfterActivation => batch_norm::after(activation.after(linear))?,
        };
        Some(layer.with_dropout(self.dropout.get(index).copied().unwrap_or(0.0)))
    }

    /// How many numbers a training step holds for each example: the inputs, what each layer keeps
    /// for the backward pass, and the gradients of as much. `None` if it overflows.
    pub fn activations(&self, inputs: usize, outputs: usize) -> Option<usize> {
        let norm = if self.batch_norm == NormPosition::None { 0 } else { 3 };
        let dropout = if self.dropout.is_empty() { 0 } else { 2 };
        let units = self.hidden.iter().try_fold(0_usize, |sum, &units| sum.checked_add(units))?;
        let kept = units.checked_mul(2 + norm + dropout)?.checked_add(outputs.checked_mul(4)?)?;
        kept.checked_mul(2)?.checked_add(inputs)
    }

    /// Whether any layer is normalised over its batch.
    pub fn has_batch_norm(&self) -> bool {
        self.batch_norm != NormPosition::None && !self.hidden.is_empty()
    }

    /// The same model with linear activations; `None` if it has no others.
    pub fn with_linear_activation(&self) -> Option<Self> {
        let has_others = !self.hidden.is_empty() && self.activation != Activation::Linear;
        has_others.then(|| Self { activation: Activation::Linear, ..self.clone() })
    }

    /// The same model without dropout; `None` if it has none.
    pub fn without_dropout(&self) -> Option<Self> {
        let has_dropout = self.dropout.iter().any(|&probability| probability > 0.0);
        has_dropout.then(|| Self { dropout: Vec::new(), ..self.clone() })
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        check.require("hidden", self.hidden.len() <= 1000, "there are at most 1000 layers");
        let (layers, given) = (self.hidden.len(), self.dropout.len());
        check.require(
            "dropout",
            given == 0 || given == layers,
            format_args!("there are {given} probabilities for {layers} hidden layers"),
        );
    }
}

impl Mlp {
    /// Features `[batch, inputs]` to logits `[batch, outputs]`; in training with its `noise`.
    pub fn forward(&self, features: Tensor<2>, noise: Option<&Noise>) -> Tensor<2> {
        let layers = self.hidden.iter().enumerate();
        let features = layers.fold(features, |features, (layer, hidden)| {
            let features = hidden.forward(features);
            match noise {
                Some(noise) if hidden.dropout > 0.0 => noise.drop(features, hidden.dropout, layer),
                _ => features,
            }
        });
        dense::forward(&self.output, features)
    }
}

impl Hidden {
    /// `[batch, inputs]` to `[batch, units]`.
    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let features = dense::forward(&self.linear, features);
        match (&self.norm, self.norm_position) {
            (Some(norm), NormPosition::BeforeActivation) if self.activation == Activation::Relu => {
                batch_norm::forward(norm, features, Around::RELU)
            }
            (Some(norm), NormPosition::BeforeActivation) => {
                self.activate(batch_norm::forward(norm, features, Around::NOTHING))
            }
            (Some(norm), NormPosition::AfterActivation) => {
                batch_norm::forward(norm, self.activate(features), Around::NOTHING)
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
