use burn::tensor::{Tensor, module, ops::ConvOptions};

/// Options of a 2D convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Stride along rows and columns.
    pub stride: [usize; 2],
    /// Zeros before the first and after the last row, and column.
    pub padding: [[usize; 2]; 2],
    /// Convolves each channel with a filter of its own: `weight` is `[channels, 1, ..]`.
    pub is_depthwise: bool,
}

/// Convolves `input` `[batch, height, width, in_channels]` with `weight`
/// `[out_channels, in_channels, kernel_height, kernel_width]` and adds `bias` `[out_channels]`.
///
/// Returns `[batch, out_height, out_width, out_channels]`, where
/// `out_height = floor((height + padding - kernel_height) / stride) + 1` with the padding of both sides.
pub fn conv2d(
    geometry: Conv2dOptions,
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&input) {
        return crate::fused::conv2d(geometry, input, weight, bias);
    }
    let [.., channels] = input.dims();
    let options = geometry.options(channels);
    let output = module::conv2d(input.permute([0, 3, 1, 2]), weight, bias, options);
    output.permute([0, 2, 3, 1])
}

impl Conv2dOptions {
    fn options(&self, channels: usize) -> ConvOptions<2> {
        let padding = self.padding.map(|[before, after]| (before, after));
        let groups = if self.is_depthwise { channels } else { 1 };
        ConvOptions::new_with_padding(self.stride, padding, [1, 1], groups)
    }
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    use super::*;
    use crate::testing::{assert_close, random};
    use burn::tensor::{DType, Device};

    fn plain(
        geometry: Conv2dOptions,
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Tensor<1>,
    ) -> Tensor<4> {
        let [.., channels] = input.dims();
        let options = geometry.options(channels);
        let output = module::conv2d(input.permute([0, 3, 1, 2]), weight, Some(bias), options);
        output.permute([0, 2, 3, 1])
    }

    #[test]
    fn output_and_gradients_match_burn() {
        let device = Device::flex().autodiff();
        for (precision, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
            for (shape, outputs, kernel, stride, padding) in [
                ([2, 8, 8, 16], 24, 3, 1, [1, 1]),
                ([3, 9, 7, 33], 17, 3, 1, [1, 1]),
                ([2, 10, 9, 16], 32, 3, 2, [1, 1]),
                ([2, 8, 8, 20], 12, 1, 2, [0, 0]),
                ([2, 12, 12, 3], 8, 5, 1, [2, 2]),
                ([2, 10, 8, 3], 8, 3, 2, [0, 1]),
                ([3, 8, 9, 24], 24, 3, 1, [1, 1]),
                ([2, 11, 8, 21], 21, 5, 2, [1, 2]),
            ] {
                let is_depthwise = shape[3] == outputs;
                let geometry =
                    Conv2dOptions { stride: [stride; 2], padding: [padding; 2], is_depthwise };
                let input = random(1, shape, precision, &device).require_grad();
                let inputs = if is_depthwise { 1 } else { shape[3] };
                let weight = [outputs, inputs, kernel, kernel];
                let weight = random(2, weight, precision, &device).require_grad();
                let bias = random(3, [outputs], precision, &device).require_grad();
                let of = |output: Tensor<4>| {
                    let weights = random(4, output.dims(), precision, &device);
                    let gradients = (output * weights).sum().backward();
                    let of = |tensor: &Tensor<4>| tensor.grad(&gradients).unwrap().flatten(0, 3);
                    [of(&input), of(&weight), bias.grad(&gradients).unwrap()]
                };
                let inputs = || (input.clone(), weight.clone());
                let fused = conv2d(geometry, inputs().0, inputs().1, Some(bias.clone()));
                let plain = plain(geometry, inputs().0, inputs().1, bias.clone());
                assert_close(fused.clone(), plain.clone(), tolerance);
                for (fused, plain) in of(fused).into_iter().zip(of(plain)) {
                    assert_close::<1>(fused, plain, tolerance);
                }
            }
        }
    }

    #[test]
    fn kept_filters_are_those_of_the_weights() {
        let device = Device::flex();
        let input = random(1, [1, 12, 12, 16], DType::F32, &device);
        let geometry = Conv2dOptions { stride: [1; 2], padding: [[1; 2]; 2], is_depthwise: false };
        let output = |weight: &Tensor<4>| conv2d(geometry, input.clone(), weight.clone(), None);
        let cache = crate::FilterCache::default();
        let mut weight = random(2, [24, 16, 3, 3], DType::F32, &device);
        for _ in 0..3 {
            let expected = output(&weight).into_data();
            for _ in 0..2 {
                assert_eq!(cache.scope(|| output(&weight)).into_data(), expected);
            }
            // In place, if nothing else had the weights.
            weight = weight * 0.5;
        }
    }
}
