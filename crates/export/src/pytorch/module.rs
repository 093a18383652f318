use std::collections::BTreeSet;
use std::fmt::Write;

use models::{Activation, Layer, Operation};

use super::identifier;
use crate::model::{ExportError, PortableModel};

/// The source of a PyTorch module that has the tensors of [`tensors`](super::tensors).
///
/// # Errors
///
/// If the layers are unknown.
pub fn source(model: &PortableModel) -> Result<String, ExportError> {
    let PortableModel { name, shape: [height, width, channels], temperature, .. } = model;
    let (input, dtype, shape) = match model.fit {
        Some(_) => ("images", "uint8", format!("{height}, {width}, {channels}")),
        None => ("features", "float32", channels.to_string()),
    };
    let outputs = model.outputs;
    let classes = serde_json::json!(model.classes);
    let values = model.shift.len();
    let (attributes, body) = Writer::new(model).write()?;
    let logits = match model.mirrored {
        true => "(self.logits(x) + self.logits(x.flip(2))) / 2",
        false => "self.logits(x)",
    };
    let probabilities = match outputs {
        1 => "second = torch.sigmoid(scaled)\n        return torch.cat([1 - second, second], 1)",
        _ => "return torch.softmax(scaled, 1)",
    };
    Ok(format!(
        r#""""The classifier {name}, exported by trainer {version}.

    model = load("model.safetensors")
    probabilities = model.probabilities({input})  # {dtype} [batch, {shape}] to [batch, {count}]
"""

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

CLASSES = {classes}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.zeros({values}))
        self.register_buffer("scale", torch.ones({values}))
{attributes}
    def forward(self, {input}):
        """Maps {dtype} [batch, {shape}] to logits [batch, {outputs}]."""
        x = ({input}.float() - self.shift) / self.scale
        return {logits}

    def logits(self, x):
{body}        return x

    def probabilities(self, {input}):
        """Calibrated probability of each class, [batch, {count}]."""
        scaled = self({input}) / {temperature}
        {probabilities}


def load(path):
    """Reads the weights, for predictions."""
    model = Model()
    model.load_state_dict(load_file(path))
    return model.eval()
"#,
        version = env!("CARGO_PKG_VERSION"),
        count = model.classes.len(),
    ))
}

/// Writes the lines of `__init__` and of `logits`.
struct Writer<'a> {
    model: &'a PortableModel,
    /// Layers whose output another than the next one takes.
    kept: BTreeSet<&'a str>,
    is_image: bool,
    /// Whether images are `[batch, channels, height, width]`.
    channels_first: bool,
    attributes: String,
    body: String,
}

impl<'a> Writer<'a> {
    fn new(model: &'a PortableModel) -> Self {
        let added = model.layers.iter().flat_map(Layer::operations).filter_map(|operation| {
            let Operation::Add { layer } = operation else { return None };
            Some(layer.as_str())
        });
        let inputs = model.layers.iter().filter_map(|layer| layer.input.as_deref());
        Self {
            model,
            kept: inputs.chain(added).collect(),
            is_image: model.fit.is_some(),
            channels_first: false,
            attributes: String::new(),
            body: String::new(),
        }
    }

    fn write(mut self) -> Result<(String, String), ExportError> {
        for layer in &self.model.layers {
            let input = layer.input.as_deref().map_or("x".to_owned(), identifier);
            let value = layer
                .operations()
                .try_fold(input, |value, operation| self.apply(layer, operation, value))?;
            self.line(&format!("x = {value}"));
            if self.kept.contains(layer.name.as_str()) {
                self.line(&format!("{} = x", identifier(&layer.name)));
            }
        }
        Ok((self.attributes, self.body))
    }

    /// The expression of `operation` on the expression `value`.
    fn apply(
        &mut self,
        layer: &Layer,
        operation: &Operation,
        value: String,
    ) -> Result<String, ExportError> {
        Ok(match operation {
            Operation::Linear { parameters, inputs, units } => {
                let value = self.rows(value);
                self.module(parameters, &format!("Linear({inputs}, {units})"), &value)
            }
            Operation::Convolution {
                parameters,
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding,
                is_depthwise,
                has_bias,
            } => {
                let groups =
                    if *is_depthwise { format!(", groups={in_channels}") } else { String::new() };
                let bias = if *has_bias { "" } else { ", bias=False" };
                let mut value = self.channels_first(value);
                let [[top, bottom], [left, right]] = padding;
                let zeros = match [top, bottom, left] == [bottom, left, right] {
                    true => format!(", {top}"),
                    false => {
                        value = format!("F.pad({value}, ({left}, {right}, {top}, {bottom}))");
                        String::new()
                    }
                };
                let module = format!(
                    "Conv2d({in_channels}, {out_channels}, {kernel_size}, {stride}{zeros}{groups}{bias})"
                );
                self.module(parameters, &module, &value)
            }
            Operation::BatchNorm { parameters, channels, epsilon } => {
                let dimensions = if self.is_image { 2 } else { 1 };
                let module = format!("BatchNorm{dimensions}d({channels}, eps={epsilon:e})");
                self.module(parameters, &module, &value)
            }
            Operation::Activation { function, negative_slope } => match function {
                Activation::Relu => format!("F.relu({value})"),
                Activation::Relu6 => format!("F.relu6({value})"),
                Activation::LeakyRelu => format!("F.leaky_relu({value}, {negative_slope})"),
                Activation::Tanh => format!("torch.tanh({value})"),
                Activation::Sigmoid => format!("torch.sigmoid({value})"),
                Activation::Linear => value,
            },
            Operation::MaxPool { window, stride, padding } => {
                let value = self.channels_first(value);
                format!("F.max_pool2d({value}, {window}, {stride}, {padding})")
            }
            Operation::AveragePool { window } => {
                let value = self.channels_first(value);
                format!("F.avg_pool2d({value}, {window})")
            }
            Operation::Flatten => self.rows(value),
            Operation::ChannelMeans => {
                let value = self.channels_first(value);
                self.is_image = false;
                format!("{value}.mean((2, 3))")
            }
            Operation::Add { layer } => format!("{value} + {}", identifier(layer)),
            Operation::Dropout { probability } => {
                format!("F.dropout({value}, {probability}, self.training)")
            }
            Operation::StochasticDepth { .. } => value,
            Operation::Custom { .. } => {
                return Err(ExportError::UnknownLayers { name: layer.name.clone() });
            }
        })
    }

    /// Adds a module for the parameters at `path` and applies it.
    fn module(&mut self, path: &str, module: &str, value: &str) -> String {
        let name = identifier(path);
        // Writing to a string cannot fail.
        let _ = writeln!(self.attributes, "        self.{name} = nn.{module}");
        format!("self.{name}({value})")
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.body, "        {line}");
    }

    fn channels_first(&mut self, value: String) -> String {
        if std::mem::replace(&mut self.channels_first, true) {
            return value;
        }
        format!("{value}.permute(0, 3, 1, 2)")
    }

    /// Images as rows, in the order of the trainer: by height, width and channel.
    fn rows(&mut self, value: String) -> String {
        if !std::mem::replace(&mut self.is_image, false) {
            return value;
        }
        let permuted = if self.channels_first { ".permute(0, 2, 3, 1)" } else { "" };
        format!("{value}{permuted}.flatten(1)")
    }
}
