//! One-dimensional transforms of F(4, 3), with the interpolation points 0, 3/4, -3/4, 3/2, -3/2 and
//! infinity. Rounding errors are smaller than with the usual points 0, 1, -1, 2, -2 and infinity.

use pulp::Simd;

use super::super::super::from_f64;
use super::super::super::simd_float::SimdFloat;
use super::{IN_TILE, KERNEL_SIZE, OUT_TILE};

/// Finite nonzero points; each is used with both signs.
const NEAR: f64 = 0.75;
const FAR: f64 = 1.5;
const NEAR_2: f64 = NEAR * NEAR;
const FAR_2: f64 = FAR * FAR;
/// Divisors of the interpolation at each point, applied in the filter transform.
const AT_ZERO: f64 = NEAR_2 * FAR_2;
const AT_NEAR: f64 = 2.0 * NEAR_2 * (NEAR_2 - FAR_2);
const AT_FAR: f64 = 2.0 * FAR_2 * (FAR_2 - NEAR_2);

/// Input transform `B^T d`.
#[inline(always)]
pub fn transform<T: SimdFloat, S: Simd>(
    simd: S,
    [a, b, c, d, e, f]: [T::Vector<S>; IN_TILE],
) -> [T::Vector<S>; IN_TILE] {
    let near = [add::<T, S>(simd, -FAR_2, c, e), add::<T, S>(simd, -FAR_2, b, d)];
    let far = [add::<T, S>(simd, -NEAR_2, c, e), add::<T, S>(simd, -NEAR_2, b, d)];
    let [near, minus_near] = at::<T, S>(simd, NEAR, near);
    let [far, minus_far] = at::<T, S>(simd, FAR, far);
    let first = add::<T, S>(simd, -NEAR_2 - FAR_2, c, e);
    let last = add::<T, S>(simd, -NEAR_2 - FAR_2, d, f);
    let first = add::<T, S>(simd, AT_ZERO, a, first);
    [first, near, minus_near, far, minus_far, add::<T, S>(simd, AT_ZERO, b, last)]
}

/// Transpose of the output transform, `A dy`.
#[inline(always)]
pub fn output_transpose<T: SimdFloat, S: Simd>(
    simd: S,
    [a, b, c, d]: [T::Vector<S>; OUT_TILE],
) -> [T::Vector<S>; IN_TILE] {
    let near = [add::<T, S>(simd, NEAR_2, c, a), add::<T, S>(simd, NEAR_2, d, b)];
    let far = [add::<T, S>(simd, FAR_2, c, a), add::<T, S>(simd, FAR_2, d, b)];
    let [near, minus_near] = at::<T, S>(simd, NEAR, near);
    let [far, minus_far] = at::<T, S>(simd, FAR, far);
    [a, near, minus_near, far, minus_far, d]
}

/// Output transform `A^T m`.
#[inline(always)]
pub fn output_transform<T: SimdFloat, S: Simd>(
    simd: S,
    products: [T::Vector<S>; IN_TILE],
) -> [T::Vector<S>; OUT_TILE] {
    let [first, near, minus_near, far, minus_far, last] = products;
    let near = sum_and_difference::<T, S>(simd, near, minus_near);
    let far = sum_and_difference::<T, S>(simd, far, minus_far);
    let a = T::simd_add(simd, first, T::simd_add(simd, near[0], far[0]));
    let b = weighted::<T, S>(simd, [NEAR, FAR], [near[1], far[1]]);
    let c = weighted::<T, S>(simd, [NEAR_2, FAR_2], [near[0], far[0]]);
    let d = weighted::<T, S>(simd, [NEAR * NEAR_2, FAR * FAR_2], [near[1], far[1]]);
    [a, b, c, T::simd_add(simd, d, last)]
}

/// Filter transform `G g`.
#[inline(always)]
pub fn filter_transform<T: SimdFloat, S: Simd>(
    simd: S,
    [a, b, c]: [T::Vector<S>; KERNEL_SIZE],
) -> [T::Vector<S>; IN_TILE] {
    let near = weighted::<T, S>(simd, [1.0 / AT_NEAR, NEAR_2 / AT_NEAR], [a, c]);
    let far = weighted::<T, S>(simd, [1.0 / AT_FAR, FAR_2 / AT_FAR], [a, c]);
    let [near, minus_near] = at::<T, S>(simd, NEAR / AT_NEAR, [near, b]);
    let [far, minus_far] = at::<T, S>(simd, FAR / AT_FAR, [far, b]);
    [times::<T, S>(simd, 1.0 / AT_ZERO, a), near, minus_near, far, minus_far, c]
}

/// Transpose of the filter transform, `G^T du`.
#[inline(always)]
pub fn filter_transpose<T: SimdFloat, S: Simd>(
    simd: S,
    products: [T::Vector<S>; IN_TILE],
) -> [T::Vector<S>; KERNEL_SIZE] {
    let [first, near, minus_near, far, minus_far, last] = products;
    let near = sum_and_difference::<T, S>(simd, near, minus_near);
    let far = sum_and_difference::<T, S>(simd, far, minus_far);
    let a = weighted::<T, S>(simd, [1.0 / AT_NEAR, 1.0 / AT_FAR], [near[0], far[0]]);
    let b = weighted::<T, S>(simd, [NEAR / AT_NEAR, FAR / AT_FAR], [near[1], far[1]]);
    let c = weighted::<T, S>(simd, [NEAR_2 / AT_NEAR, FAR_2 / AT_FAR], [near[0], far[0]]);
    [add::<T, S>(simd, 1.0 / AT_ZERO, first, a), b, T::simd_add(simd, c, last)]
}

/// Returns `even + point * odd` and `even - point * odd`: a polynomial at both signs of a point.
#[inline(always)]
fn at<T: SimdFloat, S: Simd>(
    simd: S,
    point: f64,
    [even, odd]: [T::Vector<S>; 2],
) -> [T::Vector<S>; 2] {
    [add::<T, S>(simd, point, odd, even), add::<T, S>(simd, -point, odd, even)]
}

#[inline(always)]
fn sum_and_difference<T: SimdFloat, S: Simd>(
    simd: S,
    a: T::Vector<S>,
    b: T::Vector<S>,
) -> [T::Vector<S>; 2] {
    [T::simd_add(simd, a, b), T::simd_sub(simd, a, b)]
}

/// Returns `of_a a + of_b b`.
#[inline(always)]
fn weighted<T: SimdFloat, S: Simd>(
    simd: S,
    [of_a, of_b]: [f64; 2],
    [a, b]: [T::Vector<S>; 2],
) -> T::Vector<S> {
    add::<T, S>(simd, of_a, a, times::<T, S>(simd, of_b, b))
}

/// Returns `weight a + b`.
#[inline(always)]
fn add<T: SimdFloat, S: Simd>(
    simd: S,
    weight: f64,
    a: T::Vector<S>,
    b: T::Vector<S>,
) -> T::Vector<S> {
    T::simd_mul_add(simd, T::splat(simd, from_f64(weight)), a, b)
}

#[inline(always)]
fn times<T: SimdFloat, S: Simd>(simd: S, weight: f64, a: T::Vector<S>) -> T::Vector<S> {
    add::<T, S>(simd, weight, a, T::splat(simd, T::zero()))
}
