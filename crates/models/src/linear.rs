use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::convolution::input_of;

/// Maps `[batch, inputs]` to `[batch, outputs]`.
pub fn forward(layer: &Linear, features: Tensor<2>) -> Tensor<2> {
    let features = input_of(&layer.weight.val(), features);
    match &layer.bias {
        Some(bias) => kernels::linear(features, layer.weight.val(), bias.val()),
        None => layer.forward(features),
    }
}
