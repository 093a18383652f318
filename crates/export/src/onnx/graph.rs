use std::collections::BTreeMap;

use models::{Activation, Layer, Operation};

use super::proto::{Attribute, FLOAT, Graph, INT64, Node, Tensor, UINT8, Value};
use crate::model::{ExportError, PortableModel};

/// Writes the nodes of a graph in the order in which they are computed.
pub struct GraphWriter<'a> {
    model: &'a PortableModel,
    graph: Graph,
    /// Outputs of the layers so far.
    outputs: BTreeMap<&'a str, Output>,
}

/// A tensor of the graph.
#[derive(Debug, Clone)]
struct Output {
    name: String,
    layout: Layout,
}

/// Meaning of the dimensions of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// `[batch, height, width, channels]`, as the trainer has images.
    ChannelsLast,
    /// `[batch, channels, height, width]`, as the operators of ONNX want them.
    ChannelsFirst,
    /// `[batch, features]`
    Rows,
}

impl<'a> GraphWriter<'a> {
    pub fn new(model: &'a PortableModel) -> Self {
        let graph = Graph { name: model.name.clone(), ..Graph::default() };
        Self { model, graph, outputs: BTreeMap::new() }
    }

    /// Writes the graph from the input to the probabilities.
    pub fn write(mut self) -> Result<Graph, ExportError> {
        let input = self.normalized_input();
        let input = if self.model.mirrored { self.with_mirror_images(&input) } else { input };
        let mut output = input;
        for layer in &self.model.layers {
            let input = match &layer.input {
                Some(input) => self.output_of(input, layer)?,
                None => output,
            };
            let mut operations = layer.operations();
            output = operations.try_fold(input, |input, it| self.operation(layer, it, input))?;
            self.outputs.insert(&layer.name, output.clone());
        }
        if self.model.mirrored {
            output = self.mean_of_mirrored(&output);
        }
        self.node("Identity", [output.name], "logits", []);
        self.probabilities();
        Ok(self.graph)
    }

    /// The input as floats, shifted and scaled.
    fn normalized_input(&mut self) -> Output {
        let PortableModel { shift, scale, shape, fit, .. } = self.model;
        let (name, layout) = match fit {
            Some(_) => {
                self.graph.input.push(Value::rows("image", UINT8, shape));
                let to = Attribute::integer("to", FLOAT as usize);
                (self.node("Cast", ["image"], "input/float", [to]), Layout::ChannelsLast)
            }
            None => {
                let [.., features] = *shape;
                self.graph.input.push(Value::rows("features", FLOAT, &[features]));
                ("features".to_owned(), Layout::Rows)
            }
        };
        let shift = self.floats("input/shift", &[shift.len()], shift);
        let scale = self.floats("input/scale", &[scale.len()], scale);
        let shifted = self.node("Sub", [name, shift], "input/shifted", []);
        Output { name: self.node("Div", [shifted, scale], "input/scaled", []), layout }
    }

    /// The images, then their mirror images.
    fn with_mirror_images(&mut self, images: &Output) -> Output {
        let start = self.integers("mirror/start", &[-1]);
        let end = self.integers("mirror/end", &[i64::MIN]);
        let axis = self.integers("mirror/axis", &[2]);
        let step = self.integers("mirror/step", &[-1]);
        let inputs = [images.name.clone(), start, end, axis, step];
        let mirrored = self.node("Slice", inputs, "mirror/images", []);
        let axis = Attribute::integer("axis", 0);
        let name = self.node("Concat", [images.name.clone(), mirrored], "mirror/both", [axis]);
        Output { name, ..images.clone() }
    }

    fn mean_of_mirrored(&mut self, logits: &Output) -> Output {
        let halves = self.integers("mirror/halves", &[2, -1, self.model.outputs as i64]);
        let split = self.node("Reshape", [logits.name.clone(), halves], "mirror/logits", []);
        let attributes = [Attribute::integers("axes", &[0]), Attribute::integer("keepdims", 0)];
        let name = self.node("ReduceMean", [split], "mirror/mean", attributes);
        Output { name, layout: Layout::Rows }
    }

    /// The probability of each class from the logits.
    fn probabilities(&mut self) {
        let PortableModel { classes, outputs, temperature, .. } = self.model;
        let temperature = self.floats("temperature", &[1], &[*temperature as f32]);
        let scaled =
            self.node("Div", ["logits".to_owned(), temperature], "probabilities/scaled", []);
        let axis = Attribute::integer("axis", 1);
        if *outputs == 1 {
            let one = self.floats("one", &[1], &[1.0]);
            let second = self.node("Sigmoid", [scaled], "probabilities/second", []);
            let first = self.node("Sub", [one, second.clone()], "probabilities/first", []);
            self.node("Concat", [first, second], "probabilities", [axis]);
        } else {
            self.node("Softmax", [scaled], "probabilities", [axis]);
        }
        self.graph.output.push(Value::rows("logits", FLOAT, &[*outputs]));
        self.graph.output.push(Value::rows("probabilities", FLOAT, &[classes.len()]));
    }

    fn output_of(&self, input: &str, layer: &Layer) -> Result<Output, ExportError> {
        self.outputs.get(input).cloned().ok_or_else(|| ExportError::Order {
            layer: layer.name.clone(),
            input: input.to_owned(),
        })
    }

    fn operation(
        &mut self,
        layer: &Layer,
        operation: &Operation,
        input: Output,
    ) -> Result<Output, ExportError> {
        let (kind, input, attributes) = match operation {
            Operation::Dropout { .. } | Operation::StochasticDepth { .. } => return Ok(input),
            Operation::Custom { .. } => {
                return Err(ExportError::UnknownLayers { name: layer.name.clone() });
            }
            Operation::Flatten => return Ok(self.rows(layer, input)),
            Operation::Linear { .. } => ("Gemm", self.rows(layer, input), Vec::new()),
            Operation::Convolution {
                kernel_size,
                stride,
                padding,
                is_depthwise,
                in_channels,
                ..
            } => {
                let mut attributes = window(*kernel_size, *stride, *padding);
                if *is_depthwise {
                    attributes.push(Attribute::integer("group", *in_channels));
                }
                ("Conv", self.channels_first(layer, input), attributes)
            }
            Operation::MaxPool { window: size, stride, padding } => {
                let attributes = window(*size, *stride, [[*padding; 2]; 2]);
                ("MaxPool", self.channels_first(layer, input), attributes)
            }
            Operation::AveragePool { window: size } => {
                let attributes = window(*size, *size, [[0; 2]; 2]);
                ("AveragePool", self.channels_first(layer, input), attributes)
            }
            Operation::ChannelMeans => {
                ("GlobalAveragePool", self.channels_first(layer, input), Vec::new())
            }
            Operation::BatchNorm { epsilon, .. } => {
                ("BatchNormalization", input, vec![Attribute::float("epsilon", *epsilon)])
            }
            Operation::Activation { function, negative_slope } => match function {
                Activation::Relu => ("Relu", input, Vec::new()),
                Activation::Relu6 => ("Clip", input, Vec::new()),
                Activation::LeakyRelu => {
                    ("LeakyRelu", input, vec![Attribute::float("alpha", *negative_slope)])
                }
                Activation::Tanh => ("Tanh", input, Vec::new()),
                Activation::Sigmoid => ("Sigmoid", input, Vec::new()),
                Activation::Linear => ("Identity", input, Vec::new()),
            },
            Operation::Add { .. } => ("Add", input, Vec::new()),
        };
        let mut inputs = vec![input.name];
        for (name, tensor) in self.model.parameters(operation)? {
            inputs.push(self.floats(&name, &tensor.shape, &tensor.values));
        }
        match operation {
            Operation::Add { layer: other } => inputs.push(self.output_of(other, layer)?.name),
            Operation::Activation { function: Activation::Relu6, .. } => {
                let limits = [("minimum", 0.0), ("maximum", 6.0)];
                inputs.extend(limits.map(|(name, limit)| {
                    self.floats(&format!("{}/{name}", layer.name), &[], &[limit])
                }));
            }
            _ => {}
        }
        let name = self.node(kind, inputs, format!("{}/{kind}", layer.name), attributes);
        if matches!(operation, Operation::ChannelMeans) {
            return Ok(self.flattened(layer, name));
        }
        Ok(Output { name, layout: input.layout })
    }

    fn channels_first(&mut self, layer: &Layer, input: Output) -> Output {
        match input.layout {
            Layout::ChannelsLast => {
                let order = Attribute::integers("perm", &[0, 3, 1, 2]);
                let name = format!("{}/channels first", layer.name);
                let name = self.node("Transpose", [input.name], name, [order]);
                Output { name, layout: Layout::ChannelsFirst }
            }
            _ => input,
        }
    }

    /// Images as rows, in the order of the trainer: by height, width and channel.
    fn rows(&mut self, layer: &Layer, input: Output) -> Output {
        let images = match input.layout {
            Layout::Rows => return input,
            Layout::ChannelsLast => input.name,
            Layout::ChannelsFirst => {
                let order = Attribute::integers("perm", &[0, 2, 3, 1]);
                let name = format!("{}/channels last", layer.name);
                self.node("Transpose", [input.name], name, [order])
            }
        };
        self.flattened(layer, images)
    }

    fn flattened(&mut self, layer: &Layer, images: String) -> Output {
        let axis = Attribute::integer("axis", 1);
        let name = self.node("Flatten", [images], format!("{}/Flatten", layer.name), [axis]);
        Output { name, layout: Layout::Rows }
    }

    /// Appends a node and returns its output, which has the name of the node.
    fn node(
        &mut self,
        kind: &str,
        inputs: impl IntoIterator<Item = impl Into<String>>,
        name: impl Into<String>,
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> String {
        let name = name.into();
        self.graph.node.push(Node {
            input: inputs.into_iter().map(Into::into).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: kind.to_owned(),
            attribute: attributes.into_iter().collect(),
        });
        name
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, FLOAT, shape, bytes)
    }

    fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, INT64, &[values.len()], bytes)
    }

    fn constant(
        &mut self,
        name: &str,
        data_type: i32,
        shape: &[usize],
        raw_data: Vec<u8>,
    ) -> String {
        let dims = shape.iter().map(|&size| size as i64).collect();
        let name = name.to_owned();
        self.graph.initializer.push(Tensor { dims, data_type, name: name.clone(), raw_data });
        name
    }
}

/// Attributes of a convolution or a pooling with square windows.
/// `padding` is before and after the rows, and the columns.
fn window(size: usize, stride: usize, padding: [[usize; 2]; 2]) -> Vec<Attribute> {
    let [[top, bottom], [left, right]] = padding;
    vec![
        Attribute::integers("kernel_shape", &[size; 2]),
        Attribute::integers("strides", &[stride; 2]),
        Attribute::integers("pads", &[top, left, bottom, right]),
    ]
}
