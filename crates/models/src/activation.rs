use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// The non-linearity between two layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, z)`
    #[default]
    Relu,
    /// `tanh(z)`
    Tanh,
    /// `1 / (1 + exp(-z))`
    Sigmoid,
}

impl Activation {
    /// Applies it to every element.
    pub fn forward<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(input),
            Self::Tanh => activation::tanh(input),
            Self::Sigmoid => activation::sigmoid(input),
        }
    }
}
