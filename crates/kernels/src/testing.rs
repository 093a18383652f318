//! What the tests of several operations need.

use burn::tensor::{DType, Device, Distribution, Tensor, Tolerance};

/// Normal numbers, without a history of their own.
pub fn random<const D: usize>(shape: [usize; D], precision: DType, device: &Device) -> Tensor<D> {
    let numbers = Tensor::<D>::random(shape, Distribution::Normal(0.3, 2.0), device);
    numbers.cast(precision).detach()
}

/// Fails unless every difference is below `tolerance`, relative to the largest number if that is
/// above 1.
pub fn assert_close<const D: usize>(one: Tensor<D>, other: Tensor<D>, tolerance: f64) {
    let largest: f64 = other.clone().abs().max().into_scalar();
    let (one, other) = (one.into_data(), other.into_data());
    one.assert_approx_eq::<f64>(&other, Tolerance::absolute(tolerance * largest.max(1.0)));
}
