//! Fused kernels for the operations that dominate training time.
//!
//! On Burn's Flex backend, they are a backend extension with hand-written CPU kernels and backward
//! passes. On all other backends, they are the equivalent plain tensor operations. Images are
//! channels-last, `[batch, height, width, channels]`. Results depend on the inputs only, not on the
//! number of threads.

mod adam;
mod batch_norm;
#[cfg(feature = "flex")]
mod buffer_pool;
mod conv;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod filter_cache;
#[cfg(not(feature = "flex"))]
#[path = "filter_cache/disabled.rs"]
mod filter_cache;
#[cfg(feature = "flex")]
mod fused;
mod linear;
mod max_pool;
mod norm;
mod rectifier;
#[cfg(test)]
#[cfg(feature = "flex")]
mod testing;

pub use adam::{AdamCoefficients, AdamUpdate, adam};
pub use batch_norm::{
    BatchNormOptions, BatchStatistics, batch_norm_inference, batch_norm_max_pool,
    batch_norm_max_pool_inference, batch_norm_train,
};
pub use conv::{Conv2dOptions, conv2d};
pub use filter_cache::FilterCache;
pub use linear::linear;
pub use max_pool::max_pool2d;
pub use norm::norm;
pub use rectifier::Rectifier;
