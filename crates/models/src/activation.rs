use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

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
