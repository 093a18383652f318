//! Flex tensors as slices.

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, Element, Shape, TensorData};

use crate::cpu::{self, Real};
use crate::memory::Memory;

/// The primitive of the backend.
pub type FlexTensor = FloatTensor<Flex>;

/// What a Flex tensor may be made of.
pub trait Values: Real + Element {}

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

/// A tensor of `values`.
pub fn tensor<T: Values>(values: Memory<T>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(TensorData::from_bytes(values.into_bytes(), shape, T::dtype()))
}

/// The values of a contiguous tensor as f64.
pub fn wide<T: Values>(tensor: &FlexTensor) -> Vec<f64> {
    values::<T>(tensor).iter().map(|&value| cpu::wide(value)).collect()
}

/// A tensor of `values`, rounded.
pub fn narrow<T: Values>(values: &[f64], shape: Shape) -> FlexTensor {
    let mut rounded = Memory::<T>::new(values.len());
    rounded.iter_mut().zip(values).for_each(|(rounded, &value)| *rounded = cpu::real(value));
    tensor(rounded, shape)
}

/// Registers the gradients of those parents that want one.
pub fn register<const N: usize>(
    gradients: &mut Gradients,
    parents: [Option<NodeId>; N],
    of_parents: [Option<FlexTensor>; N],
) {
    for (parent, gradient) in parents.into_iter().zip(of_parents) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            gradients.register::<Flex>(parent, gradient);
        }
    }
}
