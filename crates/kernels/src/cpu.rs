//! The kernels: slices in, slices out. Work is cut into pieces of a fixed size, whose sums are
//! added in their order, so that the number of threads changes no bit.

pub mod adam;
pub mod batch_norm;
pub mod conv2d;
pub mod matmul;
pub mod max_pool;
mod product;
mod real;
mod scratch;

pub use real::Real;

/// A number of another type.
pub fn real<T: Real>(value: f64) -> T {
    T::from(value).unwrap_or_else(T::nan)
}

/// An f64 again.
pub fn wide<T: Real>(value: T) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}
