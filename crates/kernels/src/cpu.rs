//! The kernels: slices in, slices out. Work is cut into pieces of a fixed size, whose sums are
//! added in their order, so that the number of threads changes no bit.

pub mod adam;
pub mod batch_norm;

use num_traits::Float;

/// What kernels compute with: f32, and f64 for checking gradients.
pub trait Real: Float + Send + Sync + 'static {}

impl Real for f32 {}
impl Real for f64 {}

/// A number of another type.
pub fn real<T: Real>(value: f64) -> T {
    T::from(value).unwrap_or_else(T::nan)
}

/// An f64 again.
pub fn wide<T: Real>(value: T) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// Memory for so many numbers, all of which are to be written.
fn buffer<T: Real>(count: usize) -> Vec<T> {
    vec![T::zero(); count]
}
