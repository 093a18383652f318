//! What the tests of several operations need.

use burn::tensor::{DType, Device, Tensor, TensorData, Tolerance};

/// Numbers around 0.3, others for each `seed`, without a history of their own.
pub fn numbers<const D: usize>(
    seed: u32,
    shape: [usize; D],
    precision: DType,
    device: &Device,
) -> Tensor<D> {
    let mut state = seed;
    let number = |_| {
        // Numerical Recipes' linear congruential generator.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 22) - 1.7
    };
    let numbers: Vec<f64> = (0..shape.iter().product()).map(number).collect();
    Tensor::from_data(TensorData::new(numbers, shape), (device, precision))
}

/// Fails unless every difference is below `tolerance`, relative to the largest number if that is
/// above 1.
pub fn assert_close<const D: usize>(one: Tensor<D>, other: Tensor<D>, tolerance: f64) {
    let largest: f64 = other.clone().abs().max().into_scalar();
    let (one, other) = (one.into_data(), other.into_data());
    one.assert_approx_eq::<f64>(&other, Tolerance::absolute(tolerance * largest.max(1.0)));
}
