use burn::tensor::{Tensor, module};

/// Computes `input weight + bias` for `input` `[batch, inputs]`, `weight` `[inputs, outputs]` and
/// `bias` `[outputs]`.
pub fn linear(input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&input) {
        return crate::fused::linear(input, weight, bias);
    }
    module::linear(input, weight, Some(bias))
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    use super::*;
    use crate::testing::{assert_close, random};
    use burn::tensor::{DType, Device};

    #[test]
    fn output_and_gradients_match_burn() {
        let device = Device::flex().autodiff();
        for (precision, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
            for (batch, inputs, outputs) in [(1, 1, 1), (3, 7, 2), (24, 300, 25), (64, 5, 129)] {
                let input = random(1, [batch, inputs], precision, &device).require_grad();
                let weight = random(2, [inputs, outputs], precision, &device).require_grad();
                let bias = random(3, [outputs], precision, &device).require_grad();
                let weights = random(4, [batch, outputs], precision, &device);
                let gradients = |output: Tensor<2>| {
                    let gradients = (output * weights.clone()).sum().backward();
                    let of = |tensor: &Tensor<2>| tensor.grad(&gradients).unwrap();
                    [of(&input), of(&weight), bias.grad(&gradients).unwrap().unsqueeze()]
                };
                let fused = linear(input.clone(), weight.clone(), bias.clone());
                let plain = module::linear(input.clone(), weight.clone(), Some(bias.clone()));
                assert_close(fused.clone(), plain.clone(), tolerance);
                for (fused, plain) in gradients(fused).into_iter().zip(gradients(plain)) {
                    assert_close(fused, plain, tolerance);
                }
            }
        }
    }
}
