#![expect(missing_docs, reason = "the fields are those of the messages")]

/// Error of an export.
#[derive(Debug, thiserror::Error)]
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
