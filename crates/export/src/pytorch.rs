//! Models as a [safetensors](https://huggingface.co/docs/safetensors) file and the source of a
//! PyTorch module that loads it.
//!
//! The module takes the images as they are, `[batch, height, width, channels]` as uint8. Its tensors
//! have PyTorch's names and layouts: `stages_0_0.weight` `[out, in, height, width]`,
//! `output.weight` `[out, in]`.

mod module;

use std::collections::{BTreeMap, HashMap};

use models::Operation;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::error::ExportError;
use crate::model::{PortableModel, Tensor};

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
    for operation in model.layers.iter().flat_map(|layer| layer.operations()) {
        for (path, tensor) in model.parameters(operation)? {
            let tensor = match operation {
                Operation::Linear { .. } if tensor.shape.len() == 2 => transposed(tensor),
                _ => tensor.clone(),
            };
            tensors.insert(pytorch_name(&path), tensor);
        }
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

/// `stages_0_0.weight` for `stages.0.0.weight`, and `stages_0_0_norm.bias` for
/// `stages.0.0.norm.beta`.
fn pytorch_name(path: &str) -> String {
    let (module, name) = path.rsplit_once('.').unwrap_or(("", path));
    let name = match name {
        "gamma" => "weight",
        "beta" => "bias",
        name => name,
    };
    format!("{}.{name}", identifier(module))
}

/// A Python identifier for a path.
fn identifier(path: &str) -> String {
    path.replace('.', "_")
}

fn transposed(matrix: &Tensor) -> Tensor {
    let &[rows, columns] = matrix.shape.as_slice() else { return matrix.clone() };
    let column = |column: usize| matrix.values.iter().skip(column).step_by(columns).copied();
    Tensor { shape: vec![columns, rows], values: (0..columns).flat_map(column).collect() }
}
