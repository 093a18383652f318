use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{DType, Tensor};

use super::tensors::{self, FlexTensor, Values};
use crate::memory::Memory;
use crate::{Adam, AdamStep, cpu};

/// One step of all parameters of a tensor.
#[backend_extension(Flex)]
pub trait AdamOps: Backend {
    /// Parameter, gradient and means to parameter, means and the sum of the gradient.
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        adam: Adam,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// As [`crate::adam()`].
pub fn adam<const D: usize>(
    adam: &Adam,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moment_1: Tensor<D>,
    moment_2: Tensor<D>,
) -> AdamStep<D> {
    let (parameter, moment_1, moment_2, sum) = Dispatch::adam_step(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        moment_1.into_dispatch(),
        moment_2.into_dispatch(),
        *adam,
    );
    let [parameter, moment_1, moment_2] =
        [parameter, moment_1, moment_2].map(Tensor::from_dispatch);
    AdamStep { parameter, moment_1, moment_2, gradient_sum: Tensor::from_dispatch(sum) }
}

impl AdamOps for Flex {
    fn adam_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        moment_1: FlexTensor,
        moment_2: FlexTensor,
        adam: Adam,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        match parameter.dtype() {
            DType::F64 => step::<f64>(&adam, parameter, gradient, moment_1, moment_2),
            _ => step::<f32>(&adam, parameter, gradient, moment_1, moment_2),
        }
    }
}

fn step<T: Values>(
    adam: &Adam,
    parameter: FlexTensor,
    gradient: FlexTensor,
    moment_1: FlexTensor,
    moment_2: FlexTensor,
) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
    let [parameter, mut gradient, mut moment_1, mut moment_2] =
        [parameter, gradient, moment_1, moment_2].map(tensors::contiguous);
    let mut sum = Memory::new(1);
    sum.fill(cpu::adam::step(
        adam,
        tensors::values::<T>(&parameter),
        gradient.storage_mut(),
        moment_1.storage_mut(),
        moment_2.storage_mut(),
    ));
    (gradient, moment_1, moment_2, tensors::tensor::<T>(sum, [1].into()))
}
