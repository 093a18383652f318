//! Conversions between Flex tensors and slices.

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, Element, Shape, TensorData};

use crate::buffer_pool::Buffer;
use crate::cpu::{self, SimdFloat};

/// Tensor primitive of the backend.
pub type FlexTensor = FloatTensor<Flex>;

/// Element type of a Flex tensor.
pub trait FlexFloat: SimdFloat + Element {}

impl FlexFloat for f32 {}
impl FlexFloat for f64 {}

/// Returns true if `device` is the Flex device, with or without autodiff.
pub fn is_flex(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Returns the tensor in row-major order.
pub fn to_contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

/// Returns the values of a contiguous tensor.
pub fn as_slice<T: FlexFloat>(tensor: &FlexTensor) -> &[T] {
    let (start, end) = tensor.layout().contiguous_offsets().unwrap_or_default();
    tensor.storage().get(start..end).unwrap_or_default()
}

/// Creates a tensor without a copy.
pub fn from_buffer<T: FlexFloat>(values: Buffer<T>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(TensorData::from_bytes(values.into_bytes(), shape, T::dtype()))
}

/// Returns the values of a contiguous tensor as f64.
pub fn to_f64_vec<T: FlexFloat>(tensor: &FlexTensor) -> Vec<f64> {
    as_slice::<T>(tensor).iter().map(|&value| cpu::to_f64(value)).collect()
}

/// Creates a tensor from f64 values, rounded to `T`.
pub fn from_f64_slice<T: FlexFloat>(values: &[f64], shape: Shape) -> FlexTensor {
    let mut rounded = Buffer::<T>::new(values.len());
    rounded.iter_mut().zip(values).for_each(|(rounded, &value)| *rounded = cpu::from_f64(value));
    from_buffer(rounded, shape)
}

/// Registers the gradients of the tracked parents.
pub fn register_gradients<const N: usize>(
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
