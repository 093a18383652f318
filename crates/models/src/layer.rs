use std::fmt;

use crate::activation::Activation;

/// One layer of a model: an operation, and the operations that follow it.
///
/// The layers of a model are in the order of its forward pass. From them follow the summary, the
/// number of parameters, and the graphs of [exported](https://onnx.ai) models.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Path in the model, for example `stages.0.1` or `output`.
    pub name: String,
    /// Layer whose output it takes, if that is not the layer before it.
    pub input: Option<String>,
    /// First operation.
    pub operation: Operation,
    /// Operations after it, in order.
    pub then: Vec<Operation>,
    /// Output shape for one example: `[height, width, channels]` or `[units]`.
    pub output: Vec<usize>,
    /// Number of the stage it belongs to, from the input: what is frozen, or has a learning rate, as a
    /// whole.
    pub stage: usize,
}

/// An operation on the output of the one before it. `parameters` is the path of its tensors: the
/// weight of a linear map at `output` is `output.weight`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields of a variant are in its description")]
pub enum Operation {
    /// `x W + b` with a weight `[inputs, units]` and a bias `[units]`.
    Linear { parameters: String, inputs: usize, units: usize },
    /// Cross-correlation with a weight `[out_channels, in_channels, kernel, kernel]`, and a bias
    /// `[out_channels]` if `has_bias`. If it is depthwise, each channel has a kernel of its own, and the
    /// weight is `[out_channels, 1, kernel, kernel]`. `padding` is the number of zeros before and after
    /// the rows, and the columns.
    Convolution {
        parameters: String,
        in_channels: usize,
        out_channels: usize,
        kernel_size: usize,
        stride: usize,
        padding: [[usize; 2]; 2],
        is_depthwise: bool,
        has_bias: bool,
    },
    /// Batch norm with `gamma`, `beta`, `running_mean` and `running_var`, each `[channels]`.
    BatchNorm { parameters: String, channels: usize, epsilon: f64 },
    /// Activation function; `negative_slope` is used by `leaky_relu` only.
    Activation { function: Activation, negative_slope: f64 },
    /// Maximum of windows, padded with the smallest value.
    MaxPool { window: usize, stride: usize, padding: usize },
    /// Mean of windows that do not overlap.
    AveragePool { window: usize },
    /// Images `[height, width, channels]` as a vector in that order.
    Flatten,
    /// Mean of each channel.
    ChannelMeans,
    /// Sum with the output of another layer.
    Add { layer: String },
    /// Dropout, during training only.
    Dropout { probability: f64 },
    /// Stochastic depth, during training only.
    StochasticDepth { probability: f64 },
    /// A custom model that does not describe its layers.
    Custom { parameters: usize },
}

impl Layer {
    /// A layer of one operation.
    pub fn new(name: impl Into<String>, operation: Operation, output: Vec<usize>) -> Self {
        Self { name: name.into(), input: None, operation, then: Vec::new(), output, stage: 0 }
    }

    /// A linear layer whose parameters are at `name`.
    pub(crate) fn linear(name: impl Into<String>, inputs: usize, units: usize) -> Self {
        let name = name.into();
        let operation = Operation::Linear { parameters: name.clone(), inputs, units };
        Self::new(name, operation, vec![units])
    }

    /// Sets the stage.
    #[must_use]
    pub fn in_stage(self, stage: usize) -> Self {
        Self { stage, ..self }
    }

    /// Appends an operation.
    #[must_use]
    pub fn followed_by(mut self, operation: Operation) -> Self {
        self.then.push(operation);
        self
    }

    pub(crate) fn with_batch_norm(self, parameters: String, epsilon: f64) -> Self {
        let channels = self.output.last().copied().unwrap_or(0);
        self.followed_by(Operation::BatchNorm { parameters, channels, epsilon })
    }

    /// Appends an activation, unless it is linear.
    pub(crate) fn with_activation(self, function: Activation, negative_slope: f64) -> Self {
        match function {
            Activation::Linear => self,
            _ => self.followed_by(Operation::Activation { function, negative_slope }),
        }
    }

    /// Appends dropout, if `probability` is positive.
    pub(crate) fn with_dropout(self, probability: f64) -> Self {
        let dropout = Operation::Dropout { probability };
        if probability > 0.0 { self.followed_by(dropout) } else { self }
    }

    /// All operations, in order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        std::iter::once(&self.operation).chain(&self.then)
    }

    /// Number of parameters, including running statistics; `None` if it overflows.
    pub fn parameters(&self) -> Option<usize> {
        self.operations().try_fold(0_usize, |sum, next| sum.checked_add(next.parameters()?))
    }

    /// Number of the parameters that are running statistics of a batch norm and not trained.
    pub fn running(&self) -> usize {
        let running = |operation: &Operation| match operation {
            Operation::BatchNorm { channels, .. } => 2 * channels,
            _ => 0,
        };
        self.operations().map(running).sum()
    }

    /// Multiply-accumulate operations of linear maps and convolutions for one example: half the
    /// floating-point operations. `None` if it overflows.
    pub fn multiply_adds(&self) -> Option<usize> {
        let weights = self.operation.weights()?;
        match (&self.operation, self.output.as_slice()) {
            (Operation::Convolution { .. }, [height, width, _]) => {
                height.checked_mul(*width)?.checked_mul(weights)
            }
            _ => Some(weights),
        }
    }

    /// Number of values that a training step of a network for images of `shape` holds per example: the
    /// image, the values that each of its `layers` saves for the backward pass, and three gradients of
    /// the largest feature map. `None` if it overflows.
    pub(crate) fn activations(layers: &[Self], shape: [usize; 3]) -> Option<usize> {
        let (mut saved, mut largest) = (size(&shape)?, 0);
        for layer in layers {
            let count = size(&layer.output)?;
            let is_map = layer.output.len() == 3;
            largest = if is_map { largest.max(count) } else { largest };
            saved = saved.checked_add(count.checked_mul(if is_map { 2 } else { 4 })?)?;
        }
        saved.checked_add(largest.checked_mul(3)?)
    }

    /// Sums a number of each of `layers`; `None` if one of them or the sum overflows.
    pub fn sum(layers: &[Self], number: fn(&Self) -> Option<usize>) -> Option<usize> {
        layers.iter().try_fold(0_usize, |sum, layer| sum.checked_add(number(layer)?))
    }
}

impl Operation {
    /// Name and shape of each tensor, for example `output.weight` and `[128, 6]`; the weight of a linear
    /// map or convolution first.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let named = |path: &str, tensors: Vec<(&str, Vec<usize>)>| {
            let tensors = tensors.into_iter();
            tensors.map(|(name, shape)| (format!("{path}.{name}"), shape)).collect()
        };
        match self {
            Self::Linear { parameters, inputs, units } => {
                named(parameters, vec![("weight", vec![*inputs, *units]), ("bias", vec![*units])])
            }
            Self::Convolution {
                parameters,
                in_channels,
                out_channels,
                kernel_size: size,
                is_depthwise,
                has_bias,
                ..
            } => {
                let inputs = if *is_depthwise { 1 } else { *in_channels };
                let weight = ("weight", vec![*out_channels, inputs, *size, *size]);
                let bias = has_bias.then(|| ("bias", vec![*out_channels]));
                named(parameters, [weight].into_iter().chain(bias).collect())
            }
            Self::BatchNorm { parameters, channels, .. } => {
                let names = ["gamma", "beta", "running_mean", "running_var"];
                named(parameters, names.map(|name| (name, vec![*channels])).to_vec())
            }
            _ => Vec::new(),
        }
    }

    /// Number of weights of a linear map or convolution, without biases; `None` if it overflows.
    fn weights(&self) -> Option<usize> {
        match self {
            Self::Linear { .. } | Self::Convolution { .. } => size(&self.tensors().first()?.1),
            _ => Some(0),
        }
    }

    fn parameters(&self) -> Option<usize> {
        let own = if let Self::Custom { parameters } = self { *parameters } else { 0 };
        self.tensors().iter().try_fold(own, |sum, (_, shape)| sum.checked_add(size(shape)?))
    }
}

fn size(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))
}

/// The operation in a summary: `linear`, `conv 3x3/2` for a stride of 2, `norm`, `dropout 0.5`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear { .. } => f.write_str("linear"),
            Self::Convolution { kernel_size: size, stride, is_depthwise, .. } => {
                let kind = if *is_depthwise { "depthwise conv" } else { "conv" };
                write!(f, "{kind} {size}x{size}")?;
                if *stride == 1 { Ok(()) } else { write!(f, "/{stride}") }
            }
            Self::BatchNorm { .. } => f.write_str("norm"),
            Self::Activation { function, .. } => f.write_str(function.as_str()),
            Self::MaxPool { window, stride, .. } if window == stride => {
                write!(f, "max pool {window}x{window}")
            }
            Self::MaxPool { window, stride, .. } => {
                write!(f, "max pool {window}x{window}/{stride}")
            }
            Self::AveragePool { window } => write!(f, "average pool {window}x{window}"),
            Self::Flatten => f.write_str("flatten"),
            Self::ChannelMeans => f.write_str("channel means"),
            Self::Add { .. } => f.write_str("add"),
            Self::Dropout { probability } => write!(f, "dropout {probability}"),
            Self::StochasticDepth { probability } => write!(f, "stochastic depth {probability:.3}"),
            Self::Custom { .. } => f.write_str("custom"),
        }
    }
}
