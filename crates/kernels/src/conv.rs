use burn::tensor::{Tensor, module, ops::ConvOptions};

/// The geometry of a convolution of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    /// Rows and columns from one output to the next.
    pub stride: [usize; 2],
    /// Rows and columns of zeros around the image.
    pub padding: [usize; 2],
}

/// The convolution of `input` `[batch, height, width, in_channels]` with `weight`
/// `[out_channels, in_channels, kernel_height, kernel_width]`, plus `bias` `[out_channels]`.
///
/// Gives `[batch, out_height, out_width, out_channels]`, where
/// `out_height = (height + 2 padding - kernel_height) / stride + 1`, rounded down.
pub fn conv2d(
    geometry: Conv2d,
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    let Conv2d { stride, padding } = geometry;
    let options = ConvOptions::new(stride, padding, [1, 1], 1);
    let output = module::conv2d(input.permute([0, 3, 1, 2]), weight, bias, options);
    output.permute([0, 2, 3, 1])
}
