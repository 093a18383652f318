use burn::module::{Module, Param};
use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use config::Check;
use kernels::Conv2dOptions;

use crate::batch_norm::{self, Epilogue};
use crate::layer::{Layer, Operation};
use crate::parameter_init::ParameterInit;

/// Convolution followed by a batch norm, or with a bias if there is no batch norm.
#[derive(Module, Debug)]
pub struct Convolution {
    /// `[out_channels, in_channels, kernel, kernel]`
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    norm: Option<BatchNorm>,
    #[module(skip)]
    stride: usize,
}

/// Shape of a convolution with "same" padding: its output has `ceil(size / stride)` rows and
/// columns.
#[derive(Debug, Clone, Copy)]
pub struct ConvolutionConfig {
    /// Number of input channels.
    pub in_channels: usize,
    /// Number of output channels.
    pub out_channels: usize,
    /// Rows and columns of the kernel, an odd number.
    pub kernel_size: usize,
    /// Stride along rows and columns.
    pub stride: usize,
    /// Appends a batch norm (and omits the bias).
    pub batch_norm: bool,
}

/// Records an invalid number of stages.
pub fn check_stages(channels: &[usize], check: &mut Check) {
    let stages = channels.len();
    let message = format_args!("{stages} stages are given; 1 to 16 are supported");
    check.require("channels", (1..=16).contains(&stages), message);
}

impl ConvolutionConfig {
    /// Creates the convolution with He-normal weights.
    pub fn init(&self, init: &mut ParameterInit) -> Convolution {
        let size = self.kernel_size;
        Convolution {
            weight: init.convolution([self.out_channels, self.in_channels, size, size]),
            bias: (!self.batch_norm).then(|| init.bias(self.out_channels)),
            norm: self.batch_norm.then(|| init.batch_norm(self.out_channels)),
            stride: self.stride,
        }
    }

    /// Height and width of the output for an input of `[height, width]`.
    pub fn output_size(&self, input: [usize; 2]) -> [usize; 2] {
        input.map(|size| size.div_ceil(self.stride))
    }

    /// Describes the layer `name`, whose parameters are there too, for an input of `[height, width]`.
    pub fn layer(&self, name: String, input: [usize; 2]) -> Layer {
        let Self { in_channels, out_channels, kernel_size, stride, batch_norm } = *self;
        let [height, width] = self.output_size(input);
        let operation = Operation::Convolution {
            parameters: name.clone(),
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding: kernel_size / 2,
            has_bias: !batch_norm,
        };
        let norm = format!("{name}.norm");
        let layer = Layer::new(name, operation, vec![height, width, out_channels]);
        if batch_norm { layer.with_batch_norm(norm) } else { layer }
    }
}

impl Convolution {
    /// Maps `[batch, height, width, in_channels]` to `[batch, ceil(height / stride),
    /// ceil(width / stride), out_channels]`.
    pub fn forward(&self, images: Tensor<4>, epilogue: Epilogue<4>) -> Tensor<4> {
        let output = self.convolve(images);
        match &self.norm {
            Some(norm) => batch_norm::forward(norm, output, epilogue),
            None => epilogue.apply(output),
        }
    }

    /// [`Convolution::forward`], then a ReLU and a 2x2 max pooling.
    pub fn forward_and_pool(&self, images: Tensor<4>) -> Tensor<4> {
        let output = self.convolve(images);
        match &self.norm {
            Some(norm) => batch_norm::forward_and_pool(norm, output),
            None => kernels::max_pool2d(2, Epilogue::RELU.apply(output)),
        }
    }

    fn convolve(&self, images: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let [.., kernel] = weight.dims();
        let geometry = Conv2dOptions { stride: [self.stride; 2], padding: [kernel / 2; 2] };
        let bias = self.bias.as_ref().map(Param::val);
        kernels::conv2d(geometry, images, weight, bias)
    }
}
