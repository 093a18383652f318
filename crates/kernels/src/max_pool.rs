use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, module};

/// Max pooling over windows of `size` x `size` with a stride of `size`, without padding. Maps
/// `[batch, height, width, channels]` to `[batch, height / size, width / size, channels]`, rounded
/// down.
pub fn max_pool2d(size: usize, input: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&input) && size <= crate::fused::MAX_WINDOW {
        return crate::fused::max_pool2d(size, input);
    }
    let window = [size, size];
    let input = input.permute([0, 3, 1, 2]);
    let output = module::max_pool2d(input, MaxPoolOptions::new(window));
    output.permute([0, 2, 3, 1])
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    use super::*;
    use crate::testing::{assert_close, random};
    use burn::tensor::{DType, Device};

    #[test]
    fn output_and_gradient_match_burn() {
        let device = Device::flex().autodiff();
        for precision in [DType::F32, DType::F64] {
            for (size, shape) in
                [(2, [2, 4, 4, 3]), (2, [3, 7, 5, 33]), (3, [2, 8, 9, 1]), (1, [1, 2, 3, 4])]
            {
                let input = random(1, shape, precision, &device).require_grad();
                let fused = max_pool2d(size, input.clone());
                let plain = module::max_pool2d(
                    input.clone().permute([0, 3, 1, 2]),
                    MaxPoolOptions::new([size, size]),
                );
                let plain = plain.permute([0, 2, 3, 1]);
                assert_close(fused.clone(), plain.clone(), 0.0);
                let weights = random(2, fused.dims(), precision, &device);
                let gradient = |output: Tensor<4>| {
                    let gradients = (output * weights.clone()).sum().backward();
                    input.grad(&gradients).unwrap()
                };
                assert_close(gradient(fused), gradient(plain), 0.0);
            }
        }
    }

    #[test]
    fn the_first_of_equal_values_has_the_gradient_and_nan_is_the_maximum() {
        let device = Device::flex().autodiff();
        let values = [[[[1.0], [1.0]], [[1.0], [0.0]]], [[[5.0], [f32::NAN]], [[7.0], [6.0]]]];
        let input = Tensor::<4>::from_data(values, &device).require_grad();
        let output = max_pool2d(2, input.clone());
        let gradient = input.grad(&output.clone().sum().backward()).unwrap();
        let output: Vec<f32> = output.into_data().iter().collect();
        assert!(output[0] == 1.0 && output[1].is_nan());
        let gradient: Vec<f32> = gradient.into_data().iter().collect();
        assert_eq!(gradient, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
