use burn::module::{Module, Param};
use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use config::Check;
use kernels::Conv2d;

use crate::batch_norm::{self, Around};
use crate::layer::Layer;
use crate::parameters::Parameters;

/// A convolution with the batch norm behind it, or with a bias where there is none.
#[derive(Module, Debug)]
pub struct Convolution {
    /// `[out_channels, in_channels, kernel, kernel]`
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    norm: Option<BatchNorm>,
    #[module(skip)]
    stride: usize,
}

/// The shape of a convolution, whose input is padded so that its output has `size / stride` rows
/// and columns, rounded up.
#[derive(Debug, Clone, Copy)]
pub struct ConvolutionConfig {
    /// The channels of the input.
    pub inputs: usize,
    /// The channels of the output.
    pub outputs: usize,
    /// Rows and columns of its windows, an odd number.
    pub kernel: usize,
    /// Rows and columns from one window to the next.
    pub stride: usize,
    /// Whether a batch norm follows.
    pub batch_norm: bool,
}

/// Notes `channels` of stages that cannot be meant.
pub fn check_stages(channels: &[usize], check: &mut Check) {
    let stages = (1..=16).contains(&channels.len());
    check.require("channels", stages, "there are 1 to 16 stages");
}

impl ConvolutionConfig {
    /// The convolution with He-normal weights.
    pub fn init(&self, parameters: &mut Parameters) -> Convolution {
        Convolution {
            weight: parameters.convolution([self.outputs, self.inputs, self.kernel, self.kernel]),
            bias: (!self.batch_norm).then(|| parameters.bias(self.outputs)),
            norm: self.batch_norm.then(|| parameters.batch_norm(self.outputs)),
            stride: self.stride,
        }
    }

    /// The layer called `name` on an input of so many rows and columns; `None` if a number overflows.
    pub fn layer(&self, name: String, [height, width]: [usize; 2]) -> Option<Layer> {
        let Self { inputs, outputs, kernel, stride, batch_norm } = *self;
        let [height, width] = [height, width].map(|size| size.div_ceil(stride));
        let weights = kernel.checked_mul(kernel)?.checked_mul(inputs)?.checked_mul(outputs)?;
        let kind = match stride {
            1 => format!("conv {kernel}x{kernel}"),
            _ => format!("conv {kernel}x{kernel}/{stride}"),
        };
        let layer = Layer {
            parameters: weights,
            multiply_adds: height.checked_mul(width)?.checked_mul(weights)?,
            ..Layer::plain(name, kind, vec![height, width, outputs])
        };
        match batch_norm {
            true => batch_norm::after(layer),
            false => Some(Layer { parameters: weights.checked_add(outputs)?, ..layer }),
        }
    }
}

impl Convolution {
    /// `[batch, height, width, inputs]` to `[batch, height / stride, width / stride, outputs]`.
    pub fn forward(&self, images: Tensor<4>, around: Around<4>) -> Tensor<4> {
        let output = self.convolve(images);
        match &self.norm {
            Some(norm) => batch_norm::forward(norm, output, around),
            None => around.apply(output),
        }
    }

    /// [`Convolution::forward`] with a ReLU, and then the largest value of each window of two by
    /// two.
    pub fn forward_and_pool(&self, images: Tensor<4>) -> Tensor<4> {
        let output = self.convolve(images);
        match &self.norm {
            Some(norm) => batch_norm::forward_and_pool(norm, output),
            None => kernels::max_pool2d(2, Around::RELU.apply(output)),
        }
    }

    fn convolve(&self, images: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let [.., kernel] = weight.dims();
        let geometry = Conv2d { stride: [self.stride; 2], padding: [kernel / 2; 2] };
        let bias = self.bias.as_ref().map(Param::val);
        kernels::conv2d(geometry, images, weight, bias)
    }
}
