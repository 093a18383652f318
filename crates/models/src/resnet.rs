use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, module};
use config::Check;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::batch_norm::Epilogue;
use crate::cnn::ImageHead;
use crate::convolution::{Convolution, ConvolutionConfig, check_stages};
use crate::dropout::{DropoutRng, dropout};
use crate::layer::{Layer, Operation};
use crate::linear;
use crate::parameter_init::ParameterInit;

/// A convolution (the stem), stages of residual blocks (He et al. 2016, arXiv:1512.03385), global
/// average pooling and a linear output layer, all convolutions with batch norm and ReLU.
///
/// With four stages of 64, 128, 256 and 512 channels and `stem_reduction = "pooled"` it is the
/// network of torchvision: ResNet-18 with `blocks = 2`, ResNet-34 with `[3, 4, 6, 3]`, and ResNet-50
/// with `block = "bottleneck"` as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResnetConfig {
    /// Number of channels of each stage, which bottleneck blocks multiply by 4. Every stage except
    /// the first halves height and width.
    #[schemars(inner(range(min = 1, max = 2048)))]
    pub channels: Vec<usize>,
    /// Number of blocks per stage.
    pub blocks: BlockCounts,
    /// Convolutions of each block.
    pub block: BlockKind,
    /// Number of channels of the stem. Defaults to that of the first stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2048))]
    pub stem: Option<usize>,
    /// Reduction of height and width by the stem. The cost of all blocks is proportional to the
    /// area that it leaves: images of more than about 100 pixels need a reduction.
    pub stem_reduction: StemReduction,
    /// Probability of dropping an input of the output layer during training.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// Stochastic depth (Huang et al. 2016, arXiv:1603.09382): probability of dropping the
    /// convolutions of the last block for an example during training, which leaves its shortcut. It
    /// increases linearly from block to block.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub stochastic_depth: f64,
}

/// Number of blocks of each stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "use a number of blocks, or a list of one per stage")]
pub enum BlockCounts {
    /// The same for all stages.
    Equal(#[schemars(range(min = 1, max = 100))] usize),
    /// One number per stage.
    PerStage(#[schemars(inner(range(min = 1, max = 100)))] Vec<usize>),
}

/// Convolutions of a residual block.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Two convolutions of 3x3.
    #[default]
    Basic,
    /// Convolutions of 1x1, of 3x3, which has the stride, and of 1x1 with 4 times as many channels.
    Bottleneck,
}

/// Stem of a residual network.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StemReduction {
    /// A convolution of 3x3 keeps the size.
    #[default]
    None,
    /// A convolution of 3x3 with a stride of 2 halves it.
    Strided,
    /// A convolution of 7x7 with a stride of 2 and a max pooling over 3x3 with a stride of 2 divide
    /// it by 4.
    Pooled,
}

impl Default for ResnetConfig {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
            blocks: BlockCounts::Equal(2),
            block: BlockKind::default(),
            stem: None,
            stem_reduction: StemReduction::default(),
            dropout: 0.0,
            stochastic_depth: 0.0,
        }
    }
}

/// Stem, residual blocks, global average pooling and a linear output layer.
#[derive(Module, Debug)]
pub struct Resnet {
    stem: Convolution,
    blocks: Vec<Block>,
    output: Linear,
    #[module(skip)]
    is_pooled: bool,
    #[module(skip)]
    dropout: f64,
}

/// Two or three convolutions and a shortcut, which is the identity (`None`) or a 1x1 convolution if
/// the shape changes.
#[derive(Module, Debug)]
struct Block {
    first: Convolution,
    second: Convolution,
    third: Option<Convolution>,
    shortcut: Option<Convolution>,
    #[module(skip)]
    drop_probability: f64,
    #[module(skip)]
    stage: usize,
}

#[derive(Debug, Clone, Copy)]
struct BlockConfig {
    kind: BlockKind,
    inputs: usize,
    /// Channels of the stage.
    channels: usize,
    stride: usize,
    drop_probability: f64,
    /// Number of the stage; the stem is stage 0.
    stage: usize,
}

impl ResnetConfig {
    /// Creates the model for images of `shape`, with `outputs` logits.
    pub fn init(&self, shape: [usize; 3], outputs: usize, init: &mut ParameterInit) -> Resnet {
        Resnet {
            stem: self.stem(shape).init(init),
            blocks: self.blocks().iter().map(|block| block.init(init)).collect(),
            output: init.he_linear(self.features(), outputs),
            is_pooled: self.is_pooled(),
            dropout: self.dropout,
        }
    }

    fn stem(&self, [.., channels]: [usize; 3]) -> ConvolutionConfig {
        let (kernel_size, stride) = match self.stem_reduction {
            StemReduction::None => (3, 1),
            StemReduction::Strided => (3, 2),
            StemReduction::Pooled => (7, 2),
        };
        ConvolutionConfig::new([channels, self.stem_channels()], kernel_size, stride)
    }

    fn is_pooled(&self) -> bool {
        self.stem_reduction == StemReduction::Pooled
    }

    fn stem_channels(&self) -> usize {
        self.stem.or(self.channels.first().copied()).unwrap_or(1)
    }

    /// Number of inputs of the output layer.
    fn features(&self) -> usize {
        self.block.outputs(self.channels.last().copied().unwrap_or(1))
    }

    fn blocks(&self) -> Vec<BlockConfig> {
        let kind = self.block;
        let mut inputs = self.stem_channels();
        let mut blocks = Vec::new();
        for (stage, &channels) in self.channels.iter().enumerate() {
            for block in 0..self.blocks.of_stage(stage) {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let (stage, drop_probability) = (stage + 1, 0.0);
                blocks.push(BlockConfig {
                    kind,
                    inputs,
                    channels,
                    stride,
                    drop_probability,
                    stage,
                });
                inputs = kind.outputs(channels);
            }
        }
        let count = blocks.len() as f64;
        for (number, block) in (1..).zip(&mut blocks) {
            block.drop_probability = self.stochastic_depth * f64::from(number) / count;
        }
        blocks
    }

    pub(crate) fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let [height, width, _] = shape;
        let convolution = self.stem(shape);
        let mut size = convolution.output_size([height, width]);
        let stem = convolution.layer("stem".to_owned(), [height, width]);
        let mut layers = vec![relu(stem)];
        if self.is_pooled() {
            size = size.map(|size| size.div_ceil(2));
            let output = vec![size[0], size[1], convolution.out_channels];
            let pool = Operation::MaxPool { window: 3, stride: 2, padding: 1 };
            layers.push(Layer::new("stem.pool", pool, output));
        }
        for (index, block) in self.blocks().iter().enumerate() {
            let input = layers.last().map_or(String::new(), |layer| layer.name.clone());
            let of_block = block.layers(index, &input, size).into_iter();
            layers.extend(of_block.map(|layer| layer.in_stage(block.stage)));
            size = size.map(|size| size.div_ceil(block.stride));
        }
        let head = ImageHead::Average.layer([size[0], size[1], self.features()])?;
        layers.push(head.with_dropout(self.dropout));
        let output = Layer::linear("output", self.features(), outputs);
        layers.push(output.in_stage(self.channels.len() + 1));
        Some(layers)
    }

    pub(crate) fn without_dropout(&self) -> Option<Self> {
        let has_dropout = self.dropout > 0.0 || self.stochastic_depth > 0.0;
        has_dropout.then(|| Self { dropout: 0.0, stochastic_depth: 0.0, ..self.clone() })
    }

    /// The name in torchvision of the module at `path`, such as `layer2.0.bn1` for
    /// `blocks.2.first.norm`.
    pub fn torchvision_module(&self, path: &str) -> Option<String> {
        let (path, is_norm) = match path.strip_suffix(".norm") {
            Some(convolution) => (convolution, true),
            None => (path, false),
        };
        let numbered = |number: usize| format!("{}{number}", if is_norm { "bn" } else { "conv" });
        match path {
            "stem" => return Some(numbered(1)),
            "output" => return Some("fc".to_owned()),
            _ => {}
        }
        let (index, part) = path.strip_prefix("blocks.")?.split_once('.')?;
        let mut block: usize = index.parse().ok()?;
        let mut stage = 0;
        while block >= self.blocks.of_stage(stage) {
            block -= self.blocks.of_stage(stage);
            stage += 1;
        }
        let module = match part {
            "first" => numbered(1),
            "second" => numbered(2),
            "third" => numbered(3),
            "shortcut" => format!("downsample.{}", usize::from(is_norm)),
            _ => return None,
        };
        Some(format!("layer{}.{block}.{module}", stage + 1))
    }

    pub(crate) fn check(&self, check: &mut Check) {
        check_stages(&self.channels, check);
        if let BlockCounts::PerStage(counts) = &self.blocks {
            let (given, stages) = (counts.len(), self.channels.len());
            let message = format_args!(
                "{given} numbers for {stages} stages; write one per number in `channels`, or one for all stages"
            );
            check.require("blocks", given == stages, message);
        }
    }
}

impl BlockCounts {
    fn of_stage(&self, stage: usize) -> usize {
        match self {
            Self::Equal(count) => *count,
            Self::PerStage(counts) => counts.get(stage).copied().unwrap_or(1),
        }
    }
}

impl BlockKind {
    /// Number of output channels of a block in a stage of `channels` channels.
    const fn outputs(self, channels: usize) -> usize {
        match self {
            Self::Basic => channels,
            Self::Bottleneck => 4 * channels,
        }
    }
}

impl BlockConfig {
    fn init(&self, init: &mut ParameterInit) -> Block {
        let (first, second, third) = self.convolutions();
        Block {
            first: first.init(init),
            second: second.init(init),
            third: third.map(|third| third.init(init)),
            shortcut: self.shortcut().map(|shortcut| shortcut.init(init)),
            drop_probability: self.drop_probability,
            stage: self.stage,
        }
    }

    /// Describes the layers of block `index` on the output of the layer `input`, of `[height, width]`.
    fn layers(&self, index: usize, input: &str, size: [usize; 2]) -> Vec<Layer> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let mut layers = Vec::new();
        let mut added = input.to_owned();
        if let Some(shortcut) = self.shortcut() {
            added = name("shortcut");
            layers.push(shortcut.layer(added.clone(), size));
        }
        let (first, second, third) = self.convolutions();
        let input = (!layers.is_empty()).then(|| input.to_owned());
        layers.push(Layer { input, ..relu(first.layer(name("first"), size)) });
        let inner = first.output_size(size);
        let mut last = second.layer(name("second"), inner);
        if let Some(third) = third {
            layers.push(relu(last));
            last = third.layer(name("third"), second.output_size(inner));
        }
        if self.drop_probability > 0.0 {
            let probability = self.drop_probability;
            last = last.followed_by(Operation::StochasticDepth { probability });
        }
        layers.push(relu(last.followed_by(Operation::Add { layer: added })));
        layers
    }

    fn convolutions(&self) -> (ConvolutionConfig, ConvolutionConfig, Option<ConvolutionConfig>) {
        let Self { inputs, channels, stride, .. } = *self;
        let convolution = ConvolutionConfig::new;
        match self.kind {
            BlockKind::Basic => {
                (convolution([inputs, channels], 3, stride), convolution([channels; 2], 3, 1), None)
            }
            BlockKind::Bottleneck => (
                convolution([inputs, channels], 1, 1),
                convolution([channels; 2], 3, stride),
                Some(convolution([channels, self.outputs()], 1, 1)),
            ),
        }
    }

    fn shortcut(&self) -> Option<ConvolutionConfig> {
        let changes = self.inputs != self.outputs() || self.stride != 1;
        changes.then(|| ConvolutionConfig::new([self.inputs, self.outputs()], 1, self.stride))
    }

    const fn outputs(&self) -> usize {
        self.kind.outputs(self.channels)
    }
}

fn relu(layer: Layer) -> Layer {
    layer.with_activation(Activation::Relu, 0.0)
}

impl Resnet {
    /// Takes the first stages out of training: the stem, then stages of blocks.
    pub fn freeze(&mut self, stages: usize) {
        if stages > 0 {
            self.stem = self.stem.valid();
        }
        let frozen = self.blocks.iter_mut().filter(|block| block.stage < stages);
        frozen.for_each(|block| *block = block.valid());
    }

    /// Maps images `[batch, height, width, channels]` to features `[batch, channels]`. Stochastic depth
    /// is active if `rng` is given.
    pub fn features(&self, images: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        let images = self.forward_stem(images);
        let blocks = (1..).zip(&self.blocks);
        let images =
            blocks.fold(images, |images, (layer, block)| block.forward(images, rng, layer));
        ImageHead::Average.forward(images)
    }

    /// Maps features to logits `[batch, outputs]`. Dropout is active if `rng` is given.
    pub fn head(&self, features: Tensor<2>, rng: Option<&DropoutRng>) -> Tensor<2> {
        linear::forward(&self.output, dropout(features, self.dropout, rng, 0))
    }

    fn forward_stem(&self, images: Tensor<4>) -> Tensor<4> {
        let images = self.stem.forward(images, Epilogue::RELU);
        if self.is_pooled { overlapping_max_pool(images) } else { images }
    }
}

/// Max pooling over windows of 3x3 with a stride of 2 and a padding of 1. Maps `[batch, height,
/// width, channels]` to `[batch, ceil(height / 2), ceil(width / 2), channels]`.
fn overlapping_max_pool(images: Tensor<4>) -> Tensor<4> {
    let options = MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]);
    module::max_pool2d(images.permute([0, 3, 1, 2]), options).permute([0, 2, 3, 1])
}

impl Block {
    /// Drops the convolutions of random examples if `rng` is given; `layer` is its number among the
    /// layers with random numbers.
    fn forward(&self, images: Tensor<4>, rng: Option<&DropoutRng>, layer: usize) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(images.clone(), Epilogue::NONE),
            None => images.clone(),
        };
        let inner = self.first.forward(images, Epilogue::RELU);
        let (inner, last) = match &self.third {
            Some(third) => (self.second.forward(inner, Epilogue::RELU), third),
            None => (inner, &self.second),
        };
        let sum = Epilogue { residual: Some(shortcut), ..Epilogue::RELU };
        match rng {
            Some(rng) if self.drop_probability > 0.0 => {
                let residual = last.forward(inner, Epilogue::NONE);
                sum.apply(rng.drop_examples(residual, self.drop_probability, layer))
            }
            _ => last.forward(inner, sum),
        }
    }
}

#[cfg(test)]
mod tests;
