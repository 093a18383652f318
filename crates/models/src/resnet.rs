use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::Epilogue;
use crate::cnn::ImageHead;
use crate::convolution::{Convolution, ConvolutionConfig, check_stages};
use crate::dropout::DropoutRng;
use crate::layer_summary::LayerSummary;
use crate::linear;
use crate::parameter_init::ParameterInit;

/// A convolution (the stem), stages of basic residual blocks (He et al. 2016, arXiv:1512.03385),
/// global average pooling and a linear output layer, all convolutions with batch norm and ReLU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResnetConfig {
    /// Number of channels of each stage. Every stage except the first halves height and width.
    #[schemars(inner(range(min = 1, max = 2048)))]
    pub channels: Vec<usize>,
    /// Number of blocks per stage.
    #[schemars(range(min = 1, max = 100))]
    pub blocks: usize,
    /// Number of channels of the stem. Defaults to that of the first stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2048))]
    pub stem: Option<usize>,
    /// Probability of dropping an input of the output layer during training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
}

impl Default for ResnetConfig {
    fn default() -> Self {
        Self { channels: vec![32, 64, 128], blocks: 2, stem: None, dropout: 0.0 }
    }
}

/// Stem, residual blocks, global average pooling and a linear output layer.
#[derive(Module, Debug)]
pub struct Resnet {
    stem: Convolution,
    blocks: Vec<Block>,
    output: Linear,
    #[module(skip)]
    dropout: f64,
}

/// Basic block: two convolutions and a shortcut, which is the identity (`None`) or a 1x1
/// convolution if the shape changes.
#[derive(Module, Debug)]
struct Block {
    first: Convolution,
    second: Convolution,
    shortcut: Option<Convolution>,
}

/// Channels and stride of a block.
#[derive(Debug, Clone, Copy)]
struct BlockConfig {
    inputs: usize,
    outputs: usize,
    stride: usize,
}

impl ResnetConfig {
    /// Creates the model for images of `shape`, with `outputs` logits.
    pub fn init(&self, shape: [usize; 3], outputs: usize, init: &mut ParameterInit) -> Resnet {
        Resnet {
            stem: self.stem(shape).init(init),
            blocks: self.blocks().iter().map(|block| block.init(init)).collect(),
            output: init.he_linear(self.last_channels(), outputs),
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

    /// Describes the layers of the model; `None` if a number overflows.
    pub fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<LayerSummary>> {
        let [mut height, mut width, _] = shape;
        let stem = self.stem(shape).layer("stem".to_owned(), [height, width])?;
        let mut layers = vec![Activation::Relu.after(stem)];
        for (index, block) in self.blocks().iter().enumerate() {
            layers.extend(block.layers(index, [height, width])?);
            (height, width) = (height.div_ceil(block.stride), width.div_ceil(block.stride));
        }
        let head = ImageHead::Average.layer([height, width, self.last_channels()])?;
        layers.push(head.with_dropout(self.dropout));
        layers.push(LayerSummary::linear("output", self.last_channels(), outputs)?);
        Some(layers)
    }

    /// Returns the number of values that a training step holds per example: the image, the values
    /// that each layer saves for the backward pass, and three gradients of the largest feature map.
    /// `None` if it overflows.
    pub fn activation_count(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
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

    /// Returns the same model without dropout, or `None` if it has no dropout.
    pub fn without_dropout(&self) -> Option<Self> {
        (self.dropout > 0.0).then(|| Self { dropout: 0.0, ..self.clone() })
    }

    /// Records every invalid value.
    pub fn check(&self, check: &mut Check) {
        check_stages(&self.channels, check);
    }
}

impl BlockConfig {
    fn init(&self, init: &mut ParameterInit) -> Block {
        Block {
            first: self.first().init(init),
            second: self.second().init(init),
            shortcut: self.shortcut().map(|shortcut| shortcut.init(init)),
        }
    }

    /// Describes the layers of block `index` for an input of `[height, width]`.
    fn layers(&self, index: usize, input: [usize; 2]) -> Option<Vec<LayerSummary>> {
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

/// A convolution with batch norm.
const fn convolution(
    in_channels: usize,
    out_channels: usize,
    kernel_size: usize,
    stride: usize,
) -> ConvolutionConfig {
    ConvolutionConfig { in_channels, out_channels, kernel_size, stride, batch_norm: true }
}

impl Resnet {
    /// Maps images `[batch, height, width, channels]` to logits `[batch, outputs]`. Dropout is
    /// active if `rng` is given.
    pub fn forward(&self, images: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        let images = self.stem.forward(images, Epilogue::RELU);
        let images = self.blocks.iter().fold(images, |images, block| block.forward(images));
        let features = ImageHead::Average.forward(images);
        let features = match rng {
            Some(rng) if self.dropout > 0.0 => rng.dropout(features, self.dropout, 0),
            _ => features,
        };
        linear::forward(&self.output, features)
    }
}

impl Block {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(images.clone(), Epilogue::NONE),
            None => images.clone(),
        };
        let inner = self.first.forward(images, Epilogue::RELU);
        self.second.forward(inner, Epilogue { residual: Some(shortcut), relu: true })
    }
}

#[cfg(test)]
mod tests;
