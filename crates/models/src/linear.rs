use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::convolution::input_of;
use crate::dropout::DropoutRng;

/// Maps `[batch, inputs]` to `[batch, outputs]`.
pub fn forward(layer: &Linear, features: Tensor<2>) -> Tensor<2> {
    let features = input_of(&layer.weight.val(), features);
    match &layer.bias {
        Some(bias) => kernels::linear(features, layer.weight.val(), bias.val()),
        None => layer.forward(features),
    }
}

/// Maps `[batch, features]` to logits `[batch, outputs]`: the output `layer`, after dropout with this
/// probability if `rng` is given.
pub fn head(
    layer: &Linear,
    features: Tensor<2>,
    dropout: f64,
    rng: Option<&DropoutRng>,
) -> Tensor<2> {
    let features = match rng {
        Some(rng) if dropout > 0.0 => rng.dropout(features, dropout, 0),
        _ => features,
    };
    forward(layer, features)
}
