use std::collections::BTreeMap;

use data::Fit;
use models::{Layer, Operation};

/// A trained classifier as data, from which every format is written.
#[derive(Debug, Clone)]
pub struct PortableModel {
    /// Name of its run.
    pub name: String,
    /// Layers in the order of the forward pass.
    pub layers: Vec<Layer>,
    /// Tensors by their path in the model, for example `stages.0.0.weight`.
    pub tensors: BTreeMap<String, Tensor>,
    /// Subtracted from each channel, or from each feature, of an input.
    pub shift: Vec<f32>,
    /// Divides the result.
    pub scale: Vec<f32>,
    /// `[height, width, channels]` of an image, or `[1, 1, features]`.
    pub shape: [usize; 3],
    /// How images are resized to `shape`; `None` for features.
    pub fit: Option<Fit>,
    /// Class names, in the order of the probabilities.
    pub classes: Vec<String>,
    /// Number of logits: one per class, or one for the second of two classes.
    pub outputs: usize,
    /// Averages the logits of an image and of its mirror image.
    pub mirrored: bool,
    /// Divisor of the logits in the probabilities; 1 if none was fitted.
    pub temperature: f64,
}

/// Values of a parameter or of a running statistic.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Sizes, from the outermost.
    pub shape: Vec<usize>,
    /// Values, the last index fastest.
    pub values: Vec<f32>,
}

/// Error of an export.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are those of the messages")]
pub enum ExportError {
    /// A custom model that does not describe its layers.
    #[error(
        "the model `{name}` does not say which layers it has\n  implement `CustomModel::layers` for it"
    )]
    UnknownLayers { name: String },
    /// The weights lack a tensor of the layers, or it has another shape.
    #[error("the layers of the model do not fit its weights: {name} {expected:?} is {found}")]
    Tensor { name: String, expected: Vec<usize>, found: String },
    /// A layer takes the output of one that does not come before it.
    #[error("the layer {layer} takes the output of {input}, which does not come before it")]
    Order { layer: String, input: String },
    /// The tensors cannot be written as safetensors.
    #[error("the tensors cannot be written: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
}

impl PortableModel {
    /// The tensor called `name`.
    ///
    /// # Errors
    ///
    /// If there is none, or of another shape than `expected`.
    pub fn tensor(&self, name: &str, expected: &[usize]) -> Result<&Tensor, ExportError> {
        let found = self.tensors.get(name);
        found.filter(|tensor| tensor.shape == expected).ok_or_else(|| ExportError::Tensor {
            name: name.to_owned(),
            expected: expected.to_vec(),
            found: found.map_or("missing".to_owned(), |tensor| format!("{:?}", tensor.shape)),
        })
    }

    /// Tensors of an operation by their names in the model, `weight` before `bias`.
    ///
    /// # Errors
    ///
    /// If one is missing or has another shape.
    pub fn parameters(&self, operation: &Operation) -> Result<Vec<(String, &Tensor)>, ExportError> {
        let tensors = operation.tensors().into_iter();
        let found =
            tensors.map(|(name, shape)| self.tensor(&name, &shape).map(|tensor| (name, tensor)));
        found.collect()
    }
}

impl Tensor {
    /// A matrix with rows and columns exchanged; other tensors as they are.
    pub fn transposed(&self) -> Self {
        let &[rows, columns] = self.shape.as_slice() else { return self.clone() };
        let column = |column: usize| self.values.iter().skip(column).step_by(columns).copied();
        Self { shape: vec![columns, rows], values: (0..columns).flat_map(column).collect() }
    }
}
