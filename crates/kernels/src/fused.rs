//! The kernels as a Burn backend extension of Flex, with their backward passes.

mod adam;
mod batch_norm;
mod batch_norm_pool;
mod conv;
mod linear;
mod max_pool;
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

/// The most rows of a window of a pooling: a place in it is a byte.
pub const LARGEST_WINDOW: usize = 16;

/// Whether the kernels compute with this tensor.
pub fn is_fused<const D: usize>(tensor: &Tensor<D>) -> bool {
    let is_real = matches!(tensor.dtype(), DType::F32 | DType::F64);
    is_real && tensors::is_flex(&tensor.device())
}
