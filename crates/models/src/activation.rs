use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::layer::Layer;

/// The function between two layers.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, z)`
    #[default]
    Relu,
    /// `z` where positive, else `negative_slope * z`
    LeakyRelu,
    /// `tanh(z)`
    Tanh,
    /// `1 / (1 + exp(-z))`
    Sigmoid,
    /// `z`
    Linear,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 5] =
        [Self::Relu, Self::LeakyRelu, Self::Tanh, Self::Sigmoid, Self::Linear];

    /// The name as configs spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Linear => "linear",
        }
    }

    /// `layer` with this behind it, if it does anything.
    pub(crate) fn after(self, layer: Layer) -> Layer {
        if self == Self::Linear { layer } else { layer.followed_by(self.as_str()) }
    }

    /// Applies it to every element. The slope is that of the leaky ReLU.
    pub fn forward<const D: usize>(self, input: Tensor<D>, negative_slope: f64) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(input),
            Self::LeakyRelu => activation::leaky_relu(input, negative_slope),
            Self::Tanh => activation::tanh(input),
            Self::Sigmoid => activation::sigmoid(input),
            Self::Linear => input,
        }
    }
}
