//! From examples in host memory to a batch on a device.

mod collator;
mod loader;

use std::sync::Arc;

use burn::tensor::{Int, Tensor};
use data::Mix;
use models::DropoutRng;

pub use collator::{BatchRequest, Collator};
pub use loader::{Loader, LoaderConfig};

/// Examples in host memory, normalised.
#[derive(Debug, PartialEq)]
pub struct HostBatch {
    /// Inputs of the model, `[count, height, width, channels]`, row-major.
    pub inputs: Vec<f32>,
    /// Class indices, `[count]`.
    pub labels: Arc<[u32]>,
    /// The examples they are mixed with, if any.
    pub mix: Option<Mix>,
}

/// Examples on a device, normalised, with their labels.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Shape `[batch, height, width, channels]`, or `[batch, 1, 1, features]`.
    pub inputs: Tensor<4>,
    /// Whether the inputs are those of the output layer.
    pub are_features: bool,
    /// Class indices, shape `[batch]`.
    pub targets: Tensor<1, Int>,
    /// Target of each class, `[batch, classes]`, if it is not the label alone.
    pub soft_targets: Option<Tensor<2>>,
    pub labels: Arc<[u32]>,
    pub dropout: Option<DropoutRng>,
    /// Number of examples of the step; more than those of this batch if gradients are accumulated.
    pub step_examples: usize,
    /// Sum of the weights of the examples of this batch.
    pub weight: f64,
    /// Sum of the weights of the examples of the step.
    pub step_weight: f64,
}

/// Results of a batch that stay on the device until they are read.
pub struct PendingBatch {
    /// Shape `[batch, outputs]`.
    pub logits: Tensor<2>,
    /// Shape `[1]`; finite only if all inputs are.
    pub input_sum: Tensor<1>,
    pub labels: Arc<[u32]>,
}
