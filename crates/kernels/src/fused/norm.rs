use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{DType, Tensor};

use super::tensors::{self, FlexFloat, FlexTensor};
use crate::cpu;

/// Euclidean norm of a tensor.
#[backend_extension(Flex)]
pub trait NormOps: Backend {
    /// Returns the norm, `[1]`.
    fn norm(tensor: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// See [`crate::norm()`].
pub fn norm<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::norm(tensor.into_dispatch()))
}

impl NormOps for Flex {
    fn norm(tensor: FlexTensor) -> FlexTensor {
        match tensor.dtype() {
            DType::F64 => norm_of::<f64>(tensor),
            _ => norm_of::<f32>(tensor),
        }
    }
}

fn norm_of<T: FlexFloat>(tensor: FlexTensor) -> FlexTensor {
    let tensor = tensors::to_contiguous(tensor);
    let norm = cpu::norm::norm(tensors::as_slice::<T>(&tensor));
    tensors::from_f64_slice::<T>(&[norm], [1].into())
}
