use burn::tensor::{Tensor, activation};
use kernels::Rectifier;
use serde::{Deserialize, Serialize};

/// Activation function.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, z)`
    #[default]
    Relu,
    /// `min(max(0, z), 6)`
    Relu6,
    /// `z` if positive, else `negative_slope * z`
    LeakyRelu,
    /// `tanh(z)`
    Tanh,
    /// `1 / (1 + exp(-z))`
    Sigmoid,
    /// `z`
    Linear,
}

impl Activation {
    /// All activations.
    pub const ALL: [Self; 6] =
        [Self::Relu, Self::Relu6, Self::LeakyRelu, Self::Tanh, Self::Sigmoid, Self::Linear];

    /// Name in config files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::LeakyRelu => "leaky_relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Linear => "linear",
        }
    }

    /// The function as part of a batch norm, if there is one.
    pub const fn rectifier(self) -> Option<Rectifier> {
        match self {
            Self::Relu => Some(Rectifier::Relu),
            Self::Relu6 => Some(Rectifier::Relu6),
            _ => None,
        }
    }

    /// Applies the function to every element. `negative_slope` is used by `LeakyRelu` only.
    pub fn forward<const D: usize>(self, input: Tensor<D>, negative_slope: f64) -> Tensor<D> {
        match self {
            Self::Relu => Rectifier::Relu.forward(input),
            Self::Relu6 => Rectifier::Relu6.forward(input),
            Self::LeakyRelu => activation::leaky_relu(input, negative_slope),
            Self::Tanh => activation::tanh(input),
            Self::Sigmoid => activation::sigmoid(input),
            Self::Linear => input,
        }
    }
}
