//! The operations that training spends its time in, each in one pass where plain tensor
//! operations need many.
//!
//! On Burn's Flex backend they run as kernels of this crate with hand-written backward passes, a
//! Burn backend extension; on every other backend as the plain tensor operations that they equal.
//! Images are `[batch, height, width, channels]`, so that every kernel is a loop over channels.
//! What a kernel computes depends on nothing but its inputs: not on the number of threads.

mod adam;
mod batch_norm;
mod conv;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod fused;
mod linear;
mod max_pool;
#[cfg(feature = "flex")]
mod memory;
#[cfg(test)]
#[cfg(feature = "flex")]
mod testing;

pub use adam::{Adam, AdamStep, adam};
pub use batch_norm::{
    BatchNorm, BatchStatistics, batch_norm_inference, batch_norm_max_pool,
    batch_norm_max_pool_inference, batch_norm_train,
};
pub use conv::{Conv2d, conv2d};
pub use linear::linear;
pub use max_pool::max_pool2d;
