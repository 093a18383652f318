//! Models as a [safetensors](https://huggingface.co/docs/safetensors) file and the source of a
//! PyTorch module that loads it.
//!
//! The module takes the images as they are, `[batch, height, width, channels]` as uint8. Its tensors
//! have PyTorch's names and layouts: `stages_0_0.weight` `[out, in, height, width]`,
//! `output.weight` `[out, in]`.

mod module;

use std::collections::{BTreeMap, HashMap};

use models::{Layer, Operation};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::model::{ExportError, PortableModel, Tensor};

pub use module::source;

/// The bytes of the safetensors file.
///
/// # Errors
///
/// If the layers are unknown or do not fit the tensors.
pub fn tensors(model: &PortableModel) -> Result<Vec<u8>, ExportError> {
    let mut tensors = BTreeMap::new();
    let channels = |values: &[f32]| Tensor { shape: vec![values.len()], values: values.to_vec() };
    tensors.insert("shift".to_owned(), channels(&model.shift));
    tensors.insert("scale".to_owned(), channels(&model.scale));
    for TensorName { path, name, shape, is_transposed } in names(&model.layers, own_module) {
        let tensor = model.tensor(&path, &shape)?;
        tensors.insert(name, if is_transposed { tensor.transposed() } else { tensor.clone() });
    }
    let bytes = |tensor: Tensor| -> (Vec<usize>, Vec<u8>) {
        (tensor.shape, tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
    };
    let tensors: BTreeMap<_, _> =
        tensors.into_iter().map(|(name, tensor)| (name, bytes(tensor))).collect();
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
    });
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(serialize(views, Some(format))?)
}

/// A tensor of a model under the name that it has in PyTorch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorName {
    /// Path in the model: `stages.0.0.norm.gamma`.
    pub path: String,
    /// Name in PyTorch: `stages_0_0_norm.weight`.
    pub name: String,
    /// Shape in the model.
    pub shape: Vec<usize>,
    /// Whether PyTorch has rows for columns, as in the weight of a linear map.
    pub is_transposed: bool,
}

/// The names of the tensors of `layers`. `module` is the name of the module for a path such as
/// `stages.0.0.norm`; tensors of others are left out.
pub fn names(layers: &[Layer], module: impl Fn(&str) -> Option<String>) -> Vec<TensorName> {
    let operations = layers.iter().flat_map(Layer::operations);
    let tensors = operations.flat_map(|operation| {
        let is_linear = matches!(operation, Operation::Linear { .. });
        operation.tensors().into_iter().map(move |(path, shape)| (is_linear, path, shape))
    });
    let named = tensors.filter_map(|(is_linear, path, shape)| {
        let (parent, name) = path.rsplit_once('.')?;
        let name = match name {
            "gamma" => "weight",
            "beta" => "bias",
            name => name,
        };
        let name = format!("{}.{name}", module(parent)?);
        Some(TensorName { name, is_transposed: is_linear && shape.len() == 2, shape, path })
    });
    named.collect()
}

/// The name of a module in [`source`]: `stages_0_0_norm` for `stages.0.0.norm`.
pub fn own_module(path: &str) -> Option<String> {
    Some(identifier(path))
}

/// A Python identifier for a path.
fn identifier(path: &str) -> String {
    path.replace('.', "_")
}
