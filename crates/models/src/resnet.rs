use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::Around;
use crate::cnn::ImageHead;
use crate::convolution::{Convolution, ConvolutionConfig, check_stages};
use crate::dense;
use crate::layer::Layer;
use crate::noise::Noise;
use crate::parameters::Parameters;

/// A residual network of basic blocks (He et al. 2016, arXiv:1512.03385): `[model.resnet]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResnetConfig {
    /// The channels of each stage. Every stage but the first halves rows and columns.
    #[schemars(inner(range(min = 1, max = 2048)))]
    pub channels: Vec<usize>,
    /// The number of blocks of each stage.
    #[schemars(range(min = 1, max = 100))]
    pub blocks: usize,
    /// The channels of the convolution before the stages; those of the first stage if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2048))]
    pub stem: Option<usize>,
    /// The probability with which an input of the last layer is dropped in training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
}

impl Default for ResnetConfig {
    fn default() -> Self {
        Self { channels: vec![32, 64, 128], blocks: 2, stem: None, dropout: 0.0 }
    }
}

/// A convolution, blocks, the mean of each channel, a linear layer to the logits.
#[derive(Module, Debug)]
pub struct Resnet {
    stem: Convolution,
    blocks: Vec<Block>,
    output: Linear,
    #[module(skip)]
    dropout: f64,
}

/// Two convolutions around which the input goes as it is, or through a third one where its shape
/// changes.
#[derive(Module, Debug)]
struct Block {
    first: Convolution,
    second: Convolution,
    shortcut: Option<Convolution>,
}

/// The channels and the stride of a block.
#[derive(Debug, Clone, Copy)]
struct BlockConfig {
    inputs: usize,
    outputs: usize,
    stride: usize,
}

impl ResnetConfig {
    /// The model for images of `shape` to `outputs` logits.
    pub fn init(&self, shape: [usize; 3], outputs: usize, parameters: &mut Parameters) -> Resnet {
        Resnet {
            stem: self.stem(shape).init(parameters),
            blocks: self.blocks().iter().map(|block| block.init(parameters)).collect(),
            output: parameters.he_linear(self.last_channels(), outputs),
            dropout: self.dropout,
        }
    }

    fn stem(&self, [.., channels]: [usize; 3]) -> ConvolutionConfig {
        convolution(channels, self.stem_channels(), 3, 1)
    }

    fn stem_channels(&self) -> usize {
        self.stem.or(self.channels.first().copied()).unwrap_or(1)
    }

    fn last_channels(&self) -> usize {
        self.channels.last().copied().unwrap_or(1)
    }

    fn blocks(&self) -> Vec<BlockConfig> {
        let mut inputs = self.stem_channels();
        let mut blocks = Vec::new();
        for (stage, &outputs) in self.channels.iter().enumerate() {
            for block in 0..self.blocks {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push(BlockConfig { inputs, outputs, stride });
                inputs = outputs;
            }
        }
        blocks
    }

    /// The layers of [`ResnetConfig::init`]'s model; `None` if a number overflows.
    pub fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let [mut height, mut width, _] = shape;
        let stem = self.stem(shape).layer("stem".to_owned(), [height, width])?;
        let mut layers = vec![Activation::Relu.after(stem)];
        for (index, block) in self.blocks().iter().enumerate() {
            layers.extend(block.layers(index, [height, width])?);
            (height, width) = (height.div_ceil(block.stride), width.div_ceil(block.stride));
        }
        let head = ImageHead::Average.layer([height, width, self.last_channels()])?;
        layers.push(head.with_dropout(self.dropout));
        layers.push(Layer::linear("output", self.last_channels(), outputs)?);
        Some(layers)
    }

    /// How many numbers a training step holds for each example: the image, what each layer keeps
    /// for the backward pass, and three gradients of the largest. `None` if it overflows.
    pub fn activations(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        let [mut height, mut width, channels] = shape;
        let map = |height: usize, width: usize, channels: usize| {
            height.checked_mul(width)?.checked_mul(channels)
        };
        let stem = map(height, width, self.stem_channels())?;
        let mut largest = stem;
        let mut total = map(height, width, channels)?.checked_add(stem.checked_mul(2)?)?;
        for block in self.blocks() {
            (height, width) = (height.div_ceil(block.stride), width.div_ceil(block.stride));
            let map = map(height, width, block.outputs)?;
            let layers = 2 * block.convolutions().count();
            total = total.checked_add(map.checked_mul(layers)?)?;
            largest = largest.max(map);
        }
        let dense = self.last_channels().checked_add(outputs)?.checked_mul(4)?;
        total.checked_add(largest.checked_mul(3)?)?.checked_add(dense)
    }

    /// The same model without dropout; `None` if it has none.
    pub fn without_dropout(&self) -> Option<Self> {
        (self.dropout > 0.0).then(|| Self { dropout: 0.0, ..self.clone() })
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        check_stages(&self.channels, check);
    }
}

impl BlockConfig {
    fn init(&self, parameters: &mut Parameters) -> Block {
        Block {
            first: self.first().init(parameters),
            second: self.second().init(parameters),
            shortcut: self.shortcut().map(|shortcut| shortcut.init(parameters)),
        }
    }

    /// The layers of block `index` on an input of so many rows and columns.
    fn layers(&self, index: usize, input: [usize; 2]) -> Option<Vec<Layer>> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let halved = input.map(|size| size.div_ceil(self.stride));
        let mut layers = Vec::new();
        if let Some(shortcut) = self.shortcut() {
            layers.push(shortcut.layer(name("shortcut"), input)?);
        }
        let first = Activation::Relu.after(self.first().layer(name("first"), input)?);
        let second = self.second().layer(name("second"), halved)?.followed_by("add");
        layers.extend([first, Activation::Relu.after(second)]);
        Some(layers)
    }

    fn convolutions(&self) -> impl Iterator<Item = ConvolutionConfig> {
        [self.first(), self.second()].into_iter().chain(self.shortcut())
    }

    fn first(&self) -> ConvolutionConfig {
        convolution(self.inputs, self.outputs, 3, self.stride)
    }

    fn second(&self) -> ConvolutionConfig {
        convolution(self.outputs, self.outputs, 3, 1)
    }

    fn shortcut(&self) -> Option<ConvolutionConfig> {
        let changes = self.inputs != self.outputs || self.stride != 1;
        changes.then(|| convolution(self.inputs, self.outputs, 1, self.stride))
    }
}

fn convolution(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> ConvolutionConfig {
    ConvolutionConfig { inputs, outputs, kernel, stride, batch_norm: true }
}

impl Resnet {
    /// Images `[batch, height, width, channels]` to logits `[batch, outputs]`; in training with
    /// its `noise`.
    pub fn forward(&self, images: Tensor<4>, noise: Option<&Noise>) -> Tensor<2> {
        let images = self.stem.forward(images, Around::RELU);
        let images = self.blocks.iter().fold(images, |images, block| block.forward(images));
        let features = ImageHead::Average.forward(images);
        let features = match noise {
            Some(noise) if self.dropout > 0.0 => noise.drop(features, self.dropout, 0),
            _ => features,
        };
        dense::forward(&self.output, features)
    }
}

impl Block {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(images.clone(), Around::NOTHING),
            None => images.clone(),
        };
        let inner = self.first.forward(images, Around::RELU);
        self.second.forward(inner, Around { residual: Some(shortcut), relu: true })
    }
}

#[cfg(test)]
mod tests;
