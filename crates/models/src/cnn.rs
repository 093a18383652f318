mod layers;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Tensor, module};
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::Around;
use crate::convolution::{Convolution, ConvolutionConfig, check_stages};
use crate::dense;
use crate::noise::Noise;
use crate::parameters::Parameters;

/// A convolutional network: `[model.cnn]`. Stages of convolutions and a pooling, then dense layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CnnConfig {
    /// The channels of each stage, the one nearest to the image first.
    #[schemars(inner(range(min = 1, max = 2048)))]
    pub channels: Vec<usize>,
    /// The number of convolutions of each stage.
    #[schemars(range(min = 1, max = 100))]
    pub convolutions: usize,
    /// Rows and columns of their windows, an odd number.
    #[schemars(range(min = 1, max = 15))]
    pub kernel_size: usize,
    /// The function after each convolution and each hidden layer.
    pub activation: Activation,
    /// The slope of `leaky_relu` where its input is negative.
    #[schemars(range(min = 0, max = 1))]
    pub negative_slope: f64,
    /// Whether each convolution is normalised over its batch, before the activation.
    pub batch_norm: bool,
    /// How each stage ends.
    pub pool: Pool,
    /// What the dense layers see of the last stage.
    pub head: ImageHead,
    /// The number of units of each hidden layer behind the stages.
    #[schemars(inner(range(min = 1, max = 65_536)))]
    pub hidden: Vec<usize>,
    /// The probability with which an input of each dense layer is dropped in training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
}

/// How each window of two by two values becomes one.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Its largest value.
    #[default]
    Max,
    /// Its mean.
    Average,
    /// Not at all.
    None,
}

/// What the dense layers see of images `[height, width, channels]`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ImageHead {
    /// Every value.
    #[default]
    Flatten,
    /// The mean of each channel (Lin et al. 2014, arXiv:1312.4400).
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

/// Stages, then dense layers to the logits.
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
    /// The model for images of `shape` to `outputs` logits.
    pub fn init(&self, shape: [usize; 3], outputs: usize, parameters: &mut Parameters) -> Cnn {
        let stages = self.convolutions(shape).into_iter();
        let stages =
            stages.map(|stage| stage.iter().map(|config| config.init(parameters)).collect());
        let stages = stages.collect();
        let mut dense = self.dense(shape, outputs).unwrap_or_default();
        let output = dense.pop().unwrap_or_default();
        let mut linear = |(inputs, outputs)| parameters.he_linear(inputs, outputs);
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

    /// The convolutions of each stage.
    fn convolutions(&self, [.., channels]: [usize; 3]) -> Vec<Vec<ConvolutionConfig>> {
        let mut inputs = channels;
        let stage = |&outputs| {
            let convolution = |_| {
                let inputs = std::mem::replace(&mut inputs, outputs);
                let (kernel, batch_norm) = (self.kernel_size, self.batch_norm);
                ConvolutionConfig { inputs, outputs, kernel, stride: 1, batch_norm }
            };
            (0..self.convolutions).map(convolution).collect()
        };
        self.channels.iter().map(stage).collect()
    }

    /// Inputs and outputs of each dense layer; `None` if they overflow.
    fn dense(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<(usize, usize)>> {
        let [height, width, channels] = self.last_shape(shape);
        let mut inputs = match self.head {
            ImageHead::Flatten => height.checked_mul(width)?.checked_mul(channels)?,
            ImageHead::Average => channels,
        };
        let layer = |outputs| (std::mem::replace(&mut inputs, outputs), outputs);
        Some(self.hidden.iter().copied().chain([outputs]).map(layer).collect())
    }

    /// What the stages leave of images of `shape`.
    fn last_shape(&self, [height, width, channels]: [usize; 3]) -> [usize; 3] {
        let stages = if self.pool == Pool::None { 0 } else { self.channels.len() };
        let pooled = |size: usize| size.checked_shr(stages as u32).unwrap_or(0);
        [pooled(height), pooled(width), self.channels.last().copied().unwrap_or(channels)]
    }

    /// How many numbers a training step holds for each example: the image, what each layer keeps
    /// for the backward pass, and two gradients of the largest. `None` if it overflows.
    pub fn activations(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
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
        let dense = self.dense(shape, outputs)?;
        let dense = dense.iter().try_fold(0_usize, |sum, (inputs, outputs)| {
            sum.checked_add(inputs.checked_add(*outputs)?.checked_mul(4)?)
        })?;
        total.checked_add(largest.checked_mul(2)?)?.checked_add(dense)
    }

    /// Why images of `shape` cannot be classified, if they cannot.
    pub fn objection(&self, shape: [usize; 3]) -> Option<String> {
        let [height, width, _] = self.last_shape(shape);
        let stages = self.channels.len();
        (height == 0 || width == 0).then(|| {
            format!("{stages} stages halve images {stages} times, and nothing is left of them")
        })
    }

    /// The same model with linear activations; `None` if it has no others.
    pub fn with_linear_activation(&self) -> Option<Self> {
        (self.activation != Activation::Linear)
            .then(|| Self { activation: Activation::Linear, ..self.clone() })
    }

    /// The same model without dropout; `None` if it has none.
    pub fn without_dropout(&self) -> Option<Self> {
        (self.dropout > 0.0).then(|| Self { dropout: 0.0, ..self.clone() })
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        check_stages(&self.channels, check);
        let is_odd = self.kernel_size % 2 == 1;
        check.require("kernel_size", is_odd, "a window has an odd number of rows");
        check.require("hidden", self.hidden.len() <= 1000, "there are at most 1000 layers");
    }
}

impl Cnn {
    /// Images `[batch, height, width, channels]` to logits `[batch, outputs]`; in training with
    /// its `noise`.
    pub fn forward(&self, images: Tensor<4>, noise: Option<&Noise>) -> Tensor<2> {
        let images = self.stages.iter().fold(images, |images, stage| self.stage(stage, images));
        let features = self.head.forward(images);
        let layers = self.hidden.iter().enumerate();
        let features = layers.fold(features, |features, (index, layer)| {
            self.activate(dense::forward(layer, self.drop(features, noise, index)))
        });
        dense::forward(&self.output, self.drop(features, noise, self.hidden.len()))
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
        let relu = self.activation == Activation::Relu;
        let output = layer.forward(images, Around { residual: None, relu });
        if relu { output } else { self.activate(output) }
    }

    fn activate<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        self.activation.forward(values, self.negative_slope)
    }

    fn drop(&self, features: Tensor<2>, noise: Option<&Noise>, layer: usize) -> Tensor<2> {
        match noise {
            Some(noise) if self.dropout > 0.0 => noise.drop(features, self.dropout, layer),
            _ => features,
        }
    }
}

impl Pool {
    /// `[batch, height, width, channels]` to half as many rows and columns, rounded down.
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
    /// `[batch, height, width, channels]` to `[batch, features]`.
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
