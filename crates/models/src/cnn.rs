mod layers;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Tensor, module};
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::Epilogue;
use crate::convolution::{Convolution, ConvolutionConfig, NORM_EPSILON, check_stages};
use crate::dropout::{DropoutRng, dropout};
use crate::linear;
use crate::parameter_init::ParameterInit;

/// Stages of convolutions and a pooling, then linear layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CnnConfig {
    /// Number of channels of each stage, from input to output.
    #[schemars(inner(range(min = 1, max = 2048)))]
    pub channels: Vec<usize>,
    /// Number of convolutions per stage.
    #[schemars(range(min = 1, max = 100))]
    pub convolutions: usize,
    /// Height and width of the kernel of each convolution, an odd number.
    #[schemars(range(min = 1, max = 15))]
    pub kernel_size: usize,
    /// Activation function of each convolution and each hidden layer.
    pub activation: Activation,
    /// Slope of `leaky_relu` for negative inputs.
    #[schemars(range(min = 0, max = 1))]
    pub negative_slope: f64,
    /// Applies batch normalisation after each convolution, before the activation.
    pub batch_norm: bool,
    /// Pooling at the end of each stage.
    pub pool: Pool,
    /// Conversion of the output of the last stage to features.
    pub head: ImageHead,
    /// Number of units of each hidden linear layer after the stages.
    #[schemars(inner(range(min = 1, max = 65_536)))]
    pub hidden: Vec<usize>,
    /// Probability of dropping an input of each linear layer during training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
}

/// Pooling over 2x2 windows with a stride of 2.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Max pooling.
    #[default]
    Max,
    /// Average pooling.
    Average,
    /// No pooling.
    None,
}

/// Conversion of images `[height, width, channels]` to features.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ImageHead {
    /// All values: `height * width * channels` features.
    #[default]
    Flatten,
    /// Global average pooling (Lin et al. 2014, arXiv:1312.4400): `channels` features.
    Average,
}

impl Default for CnnConfig {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
            convolutions: 1,
            kernel_size: 3,
            activation: Activation::default(),
            negative_slope: 0.01,
            batch_norm: true,
            pool: Pool::default(),
            head: ImageHead::default(),
            hidden: vec![128],
            dropout: 0.0,
        }
    }
}

/// Stages of convolutions, hidden linear layers and a linear output layer.
#[derive(Module, Debug)]
pub struct Cnn {
    stages: Vec<Vec<Convolution>>,
    hidden: Vec<Linear>,
    output: Linear,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    negative_slope: f64,
    #[module(skip)]
    pool: Pool,
    #[module(skip)]
    head: ImageHead,
    #[module(skip)]
    dropout: f64,
}

impl CnnConfig {
    pub(crate) fn init(&self, shape: [usize; 3], outputs: usize, init: &mut ParameterInit) -> Cnn {
        let stages = self.convolutions(shape).into_iter();
        let stages = stages.map(|stage| stage.iter().map(|config| config.init(init)).collect());
        let stages = stages.collect();
        let mut dense = self.linear_sizes(shape, outputs).unwrap_or_default();
        let output = dense.pop().unwrap_or_default();
        let mut linear = |(inputs, outputs)| init.he_linear(inputs, outputs);
        Cnn {
            stages,
            hidden: dense.into_iter().map(&mut linear).collect(),
            output: linear(output),
            activation: self.activation,
            negative_slope: self.negative_slope,
            pool: self.pool,
            head: self.head,
            dropout: self.dropout,
        }
    }

    fn convolutions(&self, [.., channels]: [usize; 3]) -> Vec<Vec<ConvolutionConfig>> {
        let mut inputs = channels;
        let mut stages = Vec::new();
        for &out_channels in &self.channels {
            let convolutions = (0..self.convolutions).map(|_| {
                let channels = [std::mem::replace(&mut inputs, out_channels), out_channels];
                ConvolutionConfig {
                    norm_epsilon: self.batch_norm.then_some(NORM_EPSILON),
                    ..ConvolutionConfig::new(channels, self.kernel_size, 1)
                }
            });
            stages.push(convolutions.collect());
        }
        stages
    }

    /// Returns (inputs, outputs) of each linear layer; `None` if they overflow.
    fn linear_sizes(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<(usize, usize)>> {
        let [height, width, channels] = self.last_shape(shape);
        let mut inputs = match self.head {
            ImageHead::Flatten => height.checked_mul(width)?.checked_mul(channels)?,
            ImageHead::Average => channels,
        };
        let layer = |outputs| (std::mem::replace(&mut inputs, outputs), outputs);
        Some(self.hidden.iter().copied().chain([outputs]).map(layer).collect())
    }

    fn last_shape(&self, [height, width, channels]: [usize; 3]) -> [usize; 3] {
        let stages = if self.pool == Pool::None { 0 } else { self.channels.len() };
        let pooled = |size: usize| size.checked_shr(stages as u32).unwrap_or(0);
        [pooled(height), pooled(width), self.channels.last().copied().unwrap_or(channels)]
    }

    /// Returns the number of values that a training step holds per example: the image, the values
    /// that each layer saves for the backward pass, and two gradients of the largest feature map.
    /// `None` if it overflows.
    pub fn activation_count(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        let [mut height, mut width, channels] = shape;
        let image = height.checked_mul(width)?;
        let kept = if self.batch_norm { 2 } else { 3 };
        let (mut total, mut largest) = (image.checked_mul(channels)?, 0_usize);
        for &channels in &self.channels {
            let map = height.checked_mul(width)?.checked_mul(channels)?;
            let stage = map.checked_mul(kept)?.checked_mul(self.convolutions)?;
            total = total.checked_add(stage)?.checked_add(map)?;
            largest = largest.max(map);
            if self.pool != Pool::None {
                (height, width) = (height / 2, width / 2);
            }
        }
        let dense = self.linear_sizes(shape, outputs)?;
        let dense = dense.iter().try_fold(0_usize, |sum, (inputs, outputs)| {
            sum.checked_add(inputs.checked_add(*outputs)?.checked_mul(4)?)
        })?;
        total.checked_add(largest.checked_mul(2)?)?.checked_add(dense)
    }

    pub(crate) fn incompatibility(&self, shape: [usize; 3]) -> Option<String> {
        let [height, width, _] = self.last_shape(shape);
        let stages = self.channels.len();
        (height == 0 || width == 0).then(|| {
            let most = shape[0].min(shape[1]).max(1).ilog2();
            format!(
                "{stages} stages halve height and width {stages} times, to less than one pixel: use at most {most} stages"
            )
        })
    }

    pub(crate) fn with_linear_activation(&self) -> Option<Self> {
        (self.activation != Activation::Linear)
            .then(|| Self { activation: Activation::Linear, ..self.clone() })
    }

    pub(crate) fn without_dropout(&self) -> Option<Self> {
        (self.dropout > 0.0).then(|| Self { dropout: 0.0, ..self.clone() })
    }

    pub(crate) fn check(&self, check: &mut Check) {
        check_stages(&self.channels, check);
        let is_odd = self.kernel_size % 2 == 1;
        check.require("kernel_size", is_odd, format_args!("{} is not odd", self.kernel_size));
        crate::mlp::check_layers(&self.hidden, check);
    }
}

impl Cnn {
    /// Takes the first stages out of training; hidden layers come after those of convolutions.
    pub fn freeze(&mut self, stages: usize) {
        let rest = stages.saturating_sub(self.stages.len());
        self.stages.iter_mut().take(stages).for_each(|stage| *stage = stage.valid());
        self.hidden.iter_mut().take(rest).for_each(|layer| *layer = layer.valid());
    }

    /// Maps images `[batch, height, width, channels]` to features `[batch, units]`. Dropout is active
    /// if `rng` is given.
    pub fn features(&self, images: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        let images = self.stages.iter().fold(images, |images, stage| self.stage(stage, images));
        let features = self.head.forward(images);
        let layers = self.hidden.iter().enumerate();
        layers.fold(features, |features, (index, layer)| {
            self.activate(linear::forward(layer, dropout(features, self.dropout, rng, index)))
        })
    }

    /// Maps features to logits `[batch, outputs]`. Dropout is active if `rng` is given.
    pub fn head(&self, features: Tensor<2>, rng: Option<&DropoutRng>) -> Tensor<2> {
        linear::forward(&self.output, dropout(features, self.dropout, rng, self.hidden.len()))
    }

    fn stage(&self, layers: &[Convolution], images: Tensor<4>) -> Tensor<4> {
        let Some((last, layers)) = layers.split_last() else { return images };
        let images = layers.iter().fold(images, |images, layer| self.convolve(layer, images));
        match (self.activation, self.pool) {
            (Activation::Relu, Pool::Max) => last.forward_and_pool(images),
            _ => self.pool.forward(self.convolve(last, images)),
        }
    }

    fn convolve(&self, layer: &Convolution, images: Tensor<4>) -> Tensor<4> {
        let rectifier = self.activation.rectifier();
        let output = layer.forward(images, Epilogue { residual: None, rectifier });
        if rectifier.is_some() { output } else { self.activate(output) }
    }

    fn activate<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        self.activation.forward(values, self.negative_slope)
    }
}

impl Pool {
    /// Maps `[batch, height, width, channels]` to half the height and width, rounded down.
    fn forward(self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Max => kernels::max_pool2d(2, images),
            Self::Average => {
                let images = images.permute([0, 3, 1, 2]);
                let pooled = module::avg_pool2d(images, AvgPoolOptions::new([2, 2]));
                pooled.permute([0, 2, 3, 1])
            }
            Self::None => images,
        }
    }
}

impl ImageHead {
    /// Maps `[batch, height, width, channels]` to `[batch, features]`.
    pub fn forward(self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Flatten => images.flatten(1, 3),
            Self::Average => {
                let [batch, height, width, channels] = images.dims();
                let images = images.reshape([batch, height * width, channels]);
                images.mean_dim(1).squeeze_dim(1)
            }
        }
    }
}

#[cfg(test)]
mod tests;
