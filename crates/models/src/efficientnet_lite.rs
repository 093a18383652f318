use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use kernels::Rectifier;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::Epilogue;
use crate::cnn::ImageHead;
use crate::convolution::{Convolution, ConvolutionConfig, Padding};
use crate::dropout::{DropoutRng, dropout};
use crate::layer::{Layer, Operation};
use crate::linear;
use crate::parameter_init::ParameterInit;

/// EfficientNet-Lite: EfficientNet (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation
/// and with ReLU6, as published for mobile devices in TensorFlow. Its blocks are inverted residuals: an
/// expansion by a convolution of 1x1, a depthwise convolution, and a projection by another of 1x1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EfficientNetLiteConfig {
    /// Number of the variant. Pretrained weights of variant 0 saw images of 224x224, of the others of
    /// 240, 260, 280 and 300.
    #[schemars(range(min = 0, max = 4))]
    pub variant: usize,
    /// Probability of dropping an input of the output layer during training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// Stochastic depth (Huang et al. 2016, arXiv:1603.09382): probability of dropping the
    /// convolutions of the last block for an example during training, which leaves its shortcut. It
    /// increases linearly from block to block.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub stochastic_depth: f64,
}

/// A stage of blocks: how many, size of the depthwise kernel, stride of the first, expansion, channels.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];
/// Channels of the stem and of the last convolution, in all variants.
const STEM: usize = 32;
const FEATURES: usize = 1280;

/// Epsilon of TensorFlow's batch norms.
const NORM_EPSILON: f64 = 1e-3;

const RELU6: Epilogue<4> = Epilogue { residual: None, rectifier: Some(Rectifier::Relu6) };

impl Default for EfficientNetLiteConfig {
    fn default() -> Self {
        Self { variant: 0, dropout: 0.2, stochastic_depth: 0.0 }
    }
}

/// Stem, blocks, a convolution to features, global average pooling and a linear output layer.
#[derive(Module, Debug)]
pub struct EfficientNetLite {
    stem: Convolution,
    blocks: Vec<Block>,
    last: Convolution,
    output: Linear,
    #[module(skip)]
    dropout: f64,
}

/// Without an expansion in the first stage.
#[derive(Module, Debug)]
struct Block {
    expand: Option<Convolution>,
    depthwise: Convolution,
    project: Convolution,
    #[module(skip)]
    config: BlockConfig,
}

#[derive(Debug, Clone, Copy)]
struct BlockConfig {
    inputs: usize,
    outputs: usize,
    expansion: usize,
    kernel_size: usize,
    stride: usize,
    drop_probability: f64,
    /// Number of the stage, and of the block in it; the stem is stage 0.
    position: (usize, usize),
}

impl EfficientNetLiteConfig {
    /// Stem, stages of blocks, last convolution and output layer.
    pub const STAGES: usize = STAGES.len() + 3;

    /// Creates the model for images of `shape`, with `outputs` logits.
    pub fn init(
        &self,
        shape: [usize; 3],
        outputs: usize,
        init: &mut ParameterInit,
    ) -> EfficientNetLite {
        EfficientNetLite {
            stem: stem(shape).init(init),
            blocks: self.blocks().iter().map(|block| block.init(init)).collect(),
            last: self.last().init(init),
            output: init.he_linear(FEATURES, outputs),
            dropout: self.dropout,
        }
    }

    /// Factors of the number of channels and of blocks.
    const fn scale(&self) -> (f64, f64) {
        match self.variant {
            0 => (1.0, 1.0),
            1 => (1.0, 1.1),
            2 => (1.1, 1.2),
            3 => (1.2, 1.4),
            _ => (1.4, 1.8),
        }
    }

    fn blocks(&self) -> Vec<BlockConfig> {
        let (width, depth) = self.scale();
        let mut inputs = STEM;
        let mut blocks = Vec::new();
        for (stage, (count, kernel_size, stride, expansion, channels)) in (1..).zip(STAGES) {
            // The first and the last stage have one block in all variants.
            let count = if count == 1 { 1 } else { (depth * count as f64).ceil() as usize };
            for block in 0..count {
                let outputs = scaled_channels(width * channels as f64);
                blocks.push(BlockConfig {
                    inputs: std::mem::replace(&mut inputs, outputs),
                    outputs,
                    expansion,
                    kernel_size,
                    stride: if block == 0 { stride } else { 1 },
                    drop_probability: 0.0,
                    position: (stage, block),
                });
            }
        }
        let count = blocks.len() as f64;
        for (number, block) in (1..).zip(&mut blocks) {
            block.drop_probability = self.stochastic_depth * f64::from(number) / count;
        }
        blocks
    }

    fn last(&self) -> ConvolutionConfig {
        let channels = self.blocks().last().map_or(STEM, |block| block.outputs);
        convolution([channels, FEATURES], 1, 1)
    }

    pub(crate) fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let [height, width, _] = shape;
        let stem = stem(shape);
        let mut size = stem.output_size([height, width]);
        let mut layers = vec![relu6(stem.layer("stem".to_owned(), [height, width]))];
        for (index, block) in self.blocks().iter().enumerate() {
            let input = layers.last().map_or(String::new(), |layer| layer.name.clone());
            let (stage, _) = block.position;
            let of_block = block.layers(index, &input, size).into_iter();
            layers.extend(of_block.map(|layer| layer.in_stage(stage)));
            size = size.map(|size| size.div_ceil(block.stride));
        }
        let convolution = relu6(self.last().layer("last".to_owned(), size));
        let head = ImageHead::Average.layer([size[0], size[1], FEATURES])?;
        let stage = STAGES.len() + 1;
        layers.push(convolution.in_stage(stage));
        layers.push(head.with_dropout(self.dropout));
        layers.push(Layer::linear("output", FEATURES, outputs).in_stage(stage + 1));
        Some(layers)
    }

    pub(crate) fn without_dropout(&self) -> Option<Self> {
        let has_dropout = self.dropout > 0.0 || self.stochastic_depth > 0.0;
        has_dropout.then(|| Self { dropout: 0.0, stochastic_depth: 0.0, ..self.clone() })
    }

    /// The name of the module at `path` in timm, such as `blocks.1.0.conv_dw` for
    /// `blocks.1.depthwise`.
    pub fn timm_module(&self, path: &str) -> Option<String> {
        Some(match path {
            "stem" => "conv_stem".to_owned(),
            "stem.norm" => "bn1".to_owned(),
            "last" => "conv_head".to_owned(),
            "last.norm" => "bn2".to_owned(),
            "output" => "classifier".to_owned(),
            _ => {
                let (index, part) = path.strip_prefix("blocks.")?.split_once('.')?;
                let block = *self.blocks().get(index.parse::<usize>().ok()?)?;
                let part = match (part, block.expands()) {
                    ("expand", _) => "conv_pw",
                    ("expand.norm", _) | ("depthwise.norm", false) => "bn1",
                    ("depthwise", _) => "conv_dw",
                    ("depthwise.norm", true) | ("project.norm", false) => "bn2",
                    ("project", true) => "conv_pwl",
                    ("project", false) => "conv_pw",
                    ("project.norm", true) => "bn3",
                    _ => return None,
                };
                let (stage, number) = block.position;
                format!("blocks.{}.{number}.{part}", stage - 1)
            }
        })
    }

    /// The name of the module at `path` in the package efficientnet_lite_pytorch, such as
    /// `_blocks.1._depthwise_conv` for `blocks.1.depthwise`.
    pub fn efficientnet_pytorch_module(&self, path: &str) -> Option<String> {
        Some(match path {
            "stem" => "_conv_stem".to_owned(),
            "stem.norm" => "_bn0".to_owned(),
            "last" => "_conv_head".to_owned(),
            "last.norm" => "_bn1".to_owned(),
            "output" => "_fc".to_owned(),
            _ => {
                let (index, part) = path.strip_prefix("blocks.")?.split_once('.')?;
                let part = match part {
                    "expand" => "_expand_conv",
                    "expand.norm" => "_bn0",
                    "depthwise" => "_depthwise_conv",
                    "depthwise.norm" => "_bn1",
                    "project" => "_project_conv",
                    "project.norm" => "_bn2",
                    _ => return None,
                };
                format!("_blocks.{index}.{part}")
            }
        })
    }
}

/// The nearest multiple of 8 that is at least 90 % of `channels`.
fn scaled_channels(channels: f64) -> usize {
    let rounded = ((channels + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * channels { rounded + 8 } else { rounded }
}

fn stem([.., channels]: [usize; 3]) -> ConvolutionConfig {
    convolution([channels, STEM], 3, 2)
}

fn relu6(layer: Layer) -> Layer {
    layer.with_activation(Activation::Relu6, 0.0)
}

/// A convolution of TensorFlow with batch norm.
fn convolution(channels: [usize; 2], kernel_size: usize, stride: usize) -> ConvolutionConfig {
    ConvolutionConfig {
        padding: Padding::Same,
        norm_epsilon: Some(NORM_EPSILON),
        ..ConvolutionConfig::new(channels, kernel_size, stride)
    }
}

impl BlockConfig {
    fn init(&self, init: &mut ParameterInit) -> Block {
        Block {
            expand: self.expand().map(|expand| expand.init(init)),
            depthwise: self.depthwise().init(init),
            project: self.project().init(init),
            config: *self,
        }
    }

    /// Describes the layers of block `index` on the output of the layer `input`, of `[height, width]`.
    fn layers(&self, index: usize, input: &str, size: [usize; 2]) -> Vec<Layer> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let (depthwise, project) = (self.depthwise(), self.project());
        let mut layers = Vec::new();
        layers.extend(self.expand().map(|expand| relu6(expand.layer(name("expand"), size))));
        layers.push(relu6(depthwise.layer(name("depthwise"), size)));
        let mut last = project.layer(name("project"), depthwise.output_size(size));
        if self.is_residual() {
            let probability = self.drop_probability;
            if probability > 0.0 {
                last = last.followed_by(Operation::StochasticDepth { probability });
            }
            last = last.followed_by(Operation::Add { layer: input.to_owned() });
        }
        layers.push(last);
        layers
    }

    const fn expands(&self) -> bool {
        self.expansion > 1
    }

    const fn is_residual(&self) -> bool {
        self.stride == 1 && self.inputs == self.outputs
    }

    const fn channels(&self) -> usize {
        self.inputs * self.expansion
    }

    fn expand(&self) -> Option<ConvolutionConfig> {
        self.expands().then(|| convolution([self.inputs, self.channels()], 1, 1))
    }

    fn depthwise(&self) -> ConvolutionConfig {
        let channels = self.channels();
        let convolution = convolution([channels; 2], self.kernel_size, self.stride);
        ConvolutionConfig { is_depthwise: true, ..convolution }
    }

    fn project(&self) -> ConvolutionConfig {
        convolution([self.channels(), self.outputs], 1, 1)
    }
}

impl EfficientNetLite {
    /// Takes the first stages out of training: the stem, the stages of blocks, then the last
    /// convolution.
    pub fn freeze(&mut self, stages: usize) {
        if stages > 0 {
            self.stem = self.stem.valid();
        }
        let frozen = self.blocks.iter_mut().filter(|block| block.config.position.0 < stages);
        frozen.for_each(|block| *block = block.valid());
        if stages > STAGES.len() + 1 {
            self.last = self.last.valid();
        }
    }

    /// Maps images `[batch, height, width, channels]` to features `[batch, channels]`. Stochastic depth
    /// is active if `rng` is given.
    pub fn features(&self, images: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        let images = self.stem.forward(images, RELU6);
        let blocks = (1..).zip(&self.blocks);
        let images =
            blocks.fold(images, |images, (layer, block)| block.forward(images, rng, layer));
        ImageHead::Average.forward(self.last.forward(images, RELU6))
    }

    /// Maps features to logits `[batch, outputs]`. Dropout is active if `rng` is given.
    pub fn head(&self, features: Tensor<2>, rng: Option<&DropoutRng>) -> Tensor<2> {
        linear::forward(&self.output, dropout(features, self.dropout, rng, 0))
    }
}

impl Block {
    /// Drops the convolutions of random examples if `rng` is given; `layer` is its number among the
    /// layers with random numbers.
    fn forward(&self, images: Tensor<4>, rng: Option<&DropoutRng>, layer: usize) -> Tensor<4> {
        let inner = match &self.expand {
            Some(expand) => expand.forward(images.clone(), RELU6),
            None => images.clone(),
        };
        let inner = self.depthwise.forward(inner, RELU6);
        if !self.config.is_residual() {
            return self.project.forward(inner, Epilogue::NONE);
        }
        let probability = self.config.drop_probability;
        match rng {
            Some(rng) if probability > 0.0 => {
                let residual = self.project.forward(inner, Epilogue::NONE);
                images + rng.drop_examples(residual, probability, layer)
            }
            _ => {
                let residual = Some(images);
                self.project.forward(inner, Epilogue { residual, rectifier: None })
            }
        }
    }
}

#[cfg(test)]
mod tests;
