//! Helpers of the tests of several operations.

use burn::tensor::{DType, Device, Tensor, TensorData, Tolerance};

/// Returns pseudo-random values in -1.7..2.3, without autodiff history.
pub fn random<const D: usize>(
    seed: u32,
    shape: [usize; D],
    precision: DType,
    device: &Device,
) -> Tensor<D> {
    let mut state = seed;
    let value = |_| {
        // Linear congruential generator of Numerical Recipes.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 22) - 1.7
    };
    let values: Vec<f64> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, precision))
}

/// Fails if a difference exceeds `tolerance`, relative to the largest value if that is above 1.
pub fn assert_close<const D: usize>(one: Tensor<D>, other: Tensor<D>, tolerance: f64) {
    let largest: f64 = other.clone().abs().max().into_scalar();
    let (one, other) = (one.into_data(), other.into_data());
    one.assert_approx_eq::<f64>(&other, Tolerance::absolute(tolerance * largest.max(1.0)));
}
