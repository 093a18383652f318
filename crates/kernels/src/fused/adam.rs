use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{DType, Tensor};

use super::tensors::{self, FlexFloat, FlexTensor};
use crate::{AdamCoefficients, AdamUpdate, cpu};

/// Adam step of one parameter tensor.
#[backend_extension(Flex)]
pub trait AdamOps: Backend {
    /// Returns the parameter, both moments and the norm of the gradient.
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        coefficients: AdamCoefficients,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// See [`crate::adam()`].
pub fn adam<const D: usize>(
    coefficients: &AdamCoefficients,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moment_1: Tensor<D>,
    moment_2: Tensor<D>,
) -> AdamUpdate<D> {
    let (parameter, moment_1, moment_2, norm) = Dispatch::adam_step(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        moment_1.into_dispatch(),
        moment_2.into_dispatch(),
        *coefficients,
    );
    let [parameter, moment_1, moment_2] =
        [parameter, moment_1, moment_2].map(Tensor::from_dispatch);
    AdamUpdate { parameter, moment_1, moment_2, gradient_norm: Tensor::from_dispatch(norm) }
}

impl AdamOps for Flex {
    fn adam_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        moment_1: FlexTensor,
        moment_2: FlexTensor,
        coefficients: AdamCoefficients,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        match parameter.dtype() {
            DType::F64 => step::<f64>(&coefficients, parameter, gradient, moment_1, moment_2),
            _ => step::<f32>(&coefficients, parameter, gradient, moment_1, moment_2),
        }
    }
}

fn step<T: FlexFloat>(
    coefficients: &AdamCoefficients,
    parameter: FlexTensor,
    gradient: FlexTensor,
    moment_1: FlexTensor,
    moment_2: FlexTensor,
) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
    let [parameter, mut gradient, mut moment_1, mut moment_2] =
        [parameter, gradient, moment_1, moment_2].map(tensors::to_contiguous);
    let norm = cpu::adam::step::<T>(
        coefficients,
        tensors::as_slice(&parameter),
        gradient.storage_mut(),
        moment_1.storage_mut(),
        moment_2.storage_mut(),
    );
    (gradient, moment_1, moment_2, tensors::from_f64_slice::<T>(&[norm], [1].into()))
}
