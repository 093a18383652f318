//! Burn backend extension of Flex: the CPU kernels as autodiff operations.

mod adam;
mod batch_norm;
mod batch_norm_pool;
mod conv;
mod linear;
mod max_pool;
mod norm;
mod tensors;

use burn::tensor::{DType, Tensor};

pub use adam::adam;
#[cfg(test)]
pub use batch_norm::BatchNormOps;
pub use batch_norm::{batch_norm_inference, batch_norm_train};
pub use batch_norm_pool::{batch_norm_max_pool, batch_norm_max_pool_inference};
#[cfg(test)]
pub use conv::ConvOps;
pub use conv::conv2d;
pub use linear::linear;
pub use max_pool::max_pool2d;
pub use norm::norm;

/// Largest window size of a fused max pooling: an index within a window is a `u8`.
pub const MAX_WINDOW: usize = 16;

/// Returns true if the kernels support the device and precision of `tensor`.
pub fn is_fused<const D: usize>(tensor: &Tensor<D>) -> bool {
    let is_real = matches!(tensor.dtype(), DType::F32 | DType::F64);
    is_real && tensors::is_flex(&tensor.device())
}
