//! Minimal filtering F(4, 3) of a row or column, with the points 0, 3/4, -3/4, 3/2, -3/2 and
//! infinity: they round less than the usual ones, which reach to 2.

use pulp::Simd;

use super::super::super::real;
use super::super::super::real::Real;
use super::{SIZE, STEP, TILE};

/// The points between 0 and infinity, each of which counts with both signs.
const NEAR: f64 = 0.75;
const FAR: f64 = 1.5;
const NEAR_2: f64 = NEAR * NEAR;
const FAR_2: f64 = FAR * FAR;
/// What the products at a point are divided by, which the transform of the filter does.
const AT_ZERO: f64 = NEAR_2 * FAR_2;
const AT_NEAR: f64 = 2.0 * NEAR_2 * (NEAR_2 - FAR_2);
const AT_FAR: f64 = 2.0 * FAR_2 * (FAR_2 - NEAR_2);

/// `B^T d`
#[inline(always)]
pub fn transform<T: Real, S: Simd>(
    simd: S,
    [a, b, c, d, e, f]: [T::Vector<S>; TILE],
) -> [T::Vector<S>; TILE] {
    let near = [add::<T, S>(simd, -FAR_2, c, e), add::<T, S>(simd, -FAR_2, b, d)];
    let far = [add::<T, S>(simd, -NEAR_2, c, e), add::<T, S>(simd, -NEAR_2, b, d)];
    let [near, minus_near] = at::<T, S>(simd, NEAR, near);
    let [far, minus_far] = at::<T, S>(simd, FAR, far);
    let first = add::<T, S>(simd, -NEAR_2 - FAR_2, c, e);
    let last = add::<T, S>(simd, -NEAR_2 - FAR_2, d, f);
    let first = add::<T, S>(simd, AT_ZERO, a, first);
    [first, near, minus_near, far, minus_far, add::<T, S>(simd, AT_ZERO, b, last)]
}

/// `A dy`
#[inline(always)]
pub fn spread<T: Real, S: Simd>(
    simd: S,
    [a, b, c, d]: [T::Vector<S>; STEP],
) -> [T::Vector<S>; TILE] {
    let near = [add::<T, S>(simd, NEAR_2, c, a), add::<T, S>(simd, NEAR_2, d, b)];
    let far = [add::<T, S>(simd, FAR_2, c, a), add::<T, S>(simd, FAR_2, d, b)];
    let [near, minus_near] = at::<T, S>(simd, NEAR, near);
    let [far, minus_far] = at::<T, S>(simd, FAR, far);
    [a, near, minus_near, far, minus_far, d]
}

/// `A^T m`
#[inline(always)]
pub fn gather<T: Real, S: Simd>(simd: S, products: [T::Vector<S>; TILE]) -> [T::Vector<S>; STEP] {
    let [first, near, minus_near, far, minus_far, last] = products;
    let near = sum_and_difference::<T, S>(simd, near, minus_near);
    let far = sum_and_difference::<T, S>(simd, far, minus_far);
    let a = T::plus(simd, first, T::plus(simd, near[0], far[0]));
    let b = weighted::<T, S>(simd, [NEAR, FAR], [near[1], far[1]]);
    let c = weighted::<T, S>(simd, [NEAR_2, FAR_2], [near[0], far[0]]);
    let d = weighted::<T, S>(simd, [NEAR * NEAR_2, FAR * FAR_2], [near[1], far[1]]);
    [a, b, c, T::plus(simd, d, last)]
}

/// `G g`
#[inline(always)]
pub fn spread_filter<T: Real, S: Simd>(
    simd: S,
    [a, b, c]: [T::Vector<S>; SIZE],
) -> [T::Vector<S>; TILE] {
    let near = weighted::<T, S>(simd, [1.0 / AT_NEAR, NEAR_2 / AT_NEAR], [a, c]);
    let far = weighted::<T, S>(simd, [1.0 / AT_FAR, FAR_2 / AT_FAR], [a, c]);
    let [near, minus_near] = at::<T, S>(simd, NEAR / AT_NEAR, [near, b]);
    let [far, minus_far] = at::<T, S>(simd, FAR / AT_FAR, [far, b]);
    [times::<T, S>(simd, 1.0 / AT_ZERO, a), near, minus_near, far, minus_far, c]
}

/// `G^T du`
#[inline(always)]
pub fn gather_filter<T: Real, S: Simd>(
    simd: S,
    products: [T::Vector<S>; TILE],
) -> [T::Vector<S>; SIZE] {
    let [first, near, minus_near, far, minus_far, last] = products;
    let near = sum_and_difference::<T, S>(simd, near, minus_near);
    let far = sum_and_difference::<T, S>(simd, far, minus_far);
    let a = weighted::<T, S>(simd, [1.0 / AT_NEAR, 1.0 / AT_FAR], [near[0], far[0]]);
    let b = weighted::<T, S>(simd, [NEAR / AT_NEAR, FAR / AT_FAR], [near[1], far[1]]);
    let c = weighted::<T, S>(simd, [NEAR_2 / AT_NEAR, FAR_2 / AT_FAR], [near[0], far[0]]);
    [add::<T, S>(simd, 1.0 / AT_ZERO, first, a), b, T::plus(simd, c, last)]
}

/// The value at a point and at its negative, given its even part and the factor of its odd one.
#[inline(always)]
fn at<T: Real, S: Simd>(simd: S, point: f64, [even, odd]: [T::Vector<S>; 2]) -> [T::Vector<S>; 2] {
    [add::<T, S>(simd, point, odd, even), add::<T, S>(simd, -point, odd, even)]
}

#[inline(always)]
fn sum_and_difference<T: Real, S: Simd>(
    simd: S,
    a: T::Vector<S>,
    b: T::Vector<S>,
) -> [T::Vector<S>; 2] {
    [T::plus(simd, a, b), T::minus(simd, a, b)]
}

/// The sum of two vectors, each times its weight.
#[inline(always)]
fn weighted<T: Real, S: Simd>(
    simd: S,
    [of_a, of_b]: [f64; 2],
    [a, b]: [T::Vector<S>; 2],
) -> T::Vector<S> {
    add::<T, S>(simd, of_a, a, times::<T, S>(simd, of_b, b))
}

/// `weight a + b`
#[inline(always)]
fn add<T: Real, S: Simd>(simd: S, weight: f64, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
    T::multiply_add(simd, T::splat(simd, real(weight)), a, b)
}

#[inline(always)]
fn times<T: Real, S: Simd>(simd: S, weight: f64, a: T::Vector<S>) -> T::Vector<S> {
    add::<T, S>(simd, weight, a, T::splat(simd, T::zero()))
}
