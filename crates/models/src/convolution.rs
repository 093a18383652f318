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
    /// `[out_channels, in_channels, kernel, kernel]`, or `[channels, 1, kernel, kernel]` if it is
    /// depthwise.
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    norm: Option<BatchNorm>,
    #[module(skip)]
    config: ConvolutionConfig,
}

/// Shape of a convolution whose output has `ceil(size / stride)` rows and columns.
#[derive(Debug, Clone, Copy)]
pub struct ConvolutionConfig {
    pub in_channels: usize,
    pub out_channels: usize,
    /// Rows and columns of the kernel, an odd number.
    pub kernel_size: usize,
    pub stride: usize,
    pub padding: Padding,
    /// Convolves each channel with a kernel of its own.
    pub is_depthwise: bool,
    /// Appends a batch norm with this epsilon (and omits the bias).
    pub norm_epsilon: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Half the kernel on all sides, as in PyTorch.
    Symmetric,
    /// As few as the output needs, the odd one at the end: TensorFlow's `SAME`.
    Same,
}

/// Epsilon of PyTorch's batch norms.
pub const NORM_EPSILON: f64 = 1e-5;

/// The `input` of a layer with this `weight`: outside of autodiff if the layer is frozen.
pub fn input_of<const D: usize, const E: usize>(weight: &Tensor<D>, input: Tensor<E>) -> Tensor<E> {
    if weight.device().is_autodiff() { input } else { input.without_autodiff() }
}

pub fn check_stages(channels: &[usize], check: &mut Check) {
    let stages = channels.len();
    let message = format_args!("{stages} stages are given; 1 to 16 are supported");
    check.require("channels", (1..=16).contains(&stages), message);
}

impl ConvolutionConfig {
    /// A convolution from the first to the second number of channels, with a batch norm, as in PyTorch.
    pub const fn new(
        [in_channels, out_channels]: [usize; 2],
        kernel_size: usize,
        stride: usize,
    ) -> Self {
        Self {
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding: Padding::Symmetric,
            is_depthwise: false,
            norm_epsilon: Some(NORM_EPSILON),
        }
    }

    /// Creates the convolution with He-normal weights.
    pub fn init(&self, init: &mut ParameterInit) -> Convolution {
        let (size, outputs) = (self.kernel_size, self.out_channels);
        Convolution {
            weight: init.convolution([outputs, self.kernel_inputs(), size, size]),
            bias: self.norm_epsilon.is_none().then(|| init.bias(outputs)),
            norm: self
                .norm_epsilon
                .map(|epsilon| BatchNorm { epsilon, ..init.batch_norm(outputs) }),
            config: *self,
        }
    }

    const fn kernel_inputs(&self) -> usize {
        if self.is_depthwise { 1 } else { self.in_channels }
    }

    pub fn output_size(&self, input: [usize; 2]) -> [usize; 2] {
        input.map(|size| size.div_ceil(self.stride))
    }

    /// Zeros before and after the rows and the columns of an input of `[height, width]`.
    fn zeros(&self, input: [usize; 2]) -> [[usize; 2]; 2] {
        match self.padding {
            Padding::Symmetric => [[self.kernel_size / 2; 2]; 2],
            Padding::Same => input.map(|size| {
                let last = size.div_ceil(self.stride).saturating_sub(1) * self.stride;
                let zeros = (last + self.kernel_size).saturating_sub(size);
                [zeros / 2, zeros.div_ceil(2)]
            }),
        }
    }

    /// Describes the layer `name`, whose parameters are there too, for an input of `[height, width]`.
    pub fn layer(&self, name: String, input: [usize; 2]) -> Layer {
        let [height, width] = self.output_size(input);
        let operation = Operation::Convolution {
            parameters: name.clone(),
            in_channels: self.in_channels,
            out_channels: self.out_channels,
            kernel_size: self.kernel_size,
            stride: self.stride,
            padding: self.zeros(input),
            is_depthwise: self.is_depthwise,
            has_bias: self.norm_epsilon.is_none(),
        };
        let norm = format!("{name}.norm");
        let layer = Layer::new(name, operation, vec![height, width, self.out_channels]);
        match self.norm_epsilon {
            Some(epsilon) => layer.with_batch_norm(norm, epsilon),
            None => layer,
        }
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
        let [_, height, width, _] = images.dims();
        let geometry = Conv2dOptions {
            stride: [self.config.stride; 2],
            padding: self.config.zeros([height, width]),
            is_depthwise: self.config.is_depthwise,
        };
        let (weight, bias) = (self.weight.val(), self.bias.as_ref().map(Param::val));
        kernels::conv2d(geometry, input_of(&weight, images), weight, bias)
    }
}
