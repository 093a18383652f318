//! Flex tensors as slices.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, Element, Shape, TensorData};

use crate::cpu::{self, Real};

/// The primitive of the backend.
pub type FlexTensor = FloatTensor<Flex>;

/// What a Flex tensor may be made of.
pub trait Values: Real + Element + bytemuck::Pod {}

impl Values for f32 {}
impl Values for f64 {}

/// Whether a device is that of the backend.
pub fn is_flex(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// The same values in row-major order.
pub fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

/// The values of a contiguous tensor.
pub fn values<T: Values>(tensor: &FlexTensor) -> &[T] {
    let (start, end) = tensor.layout().contiguous_offsets().unwrap_or_default();
    tensor.storage().get(start..end).unwrap_or_default()
}

/// The values of a tensor that nothing else holds, to be changed in place.
pub fn owned<T: Values>(tensor: FlexTensor) -> Vec<T> {
    let tensor = contiguous(tensor).into_data();
    tensor.try_into_vec().unwrap_or_default()
}

/// A tensor of `values`.
pub fn tensor<T: Values>(values: Vec<T>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The values of a contiguous tensor as f64.
pub fn wide<T: Values>(tensor: &FlexTensor) -> Vec<f64> {
    values::<T>(tensor).iter().map(|&value| cpu::wide(value)).collect()
}

/// A tensor of `values`, rounded.
pub fn narrow<T: Values>(values: &[f64], shape: Shape) -> FlexTensor {
    tensor(values.iter().map(|&value| cpu::real(value)).collect::<Vec<T>>(), shape)
}
