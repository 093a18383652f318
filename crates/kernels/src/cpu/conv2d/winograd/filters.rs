use pulp::Simd;

use super::super::super::real::Real;
use super::{TILE, transposed};

/// Rows and columns of a filter.
const SIZE: usize = 3;

/// `G g G^T` of as many filters as a vector has lanes.
#[inline(always)]
pub fn transform_filter<T: Real, S: Simd>(
    simd: S,
    filter: [[T::Vector<S>; SIZE]; SIZE],
) -> [[T::Vector<S>; TILE]; TILE] {
    let zero = T::splat(simd, T::zero());
    let (mut rows, mut columns) = ([[zero; TILE]; SIZE], [[zero; TILE]; TILE]);
    for (row, filter) in rows.iter_mut().zip(filter) {
        *row = spread_filter::<T, S>(simd, filter);
    }
    for (column, row) in columns.iter_mut().zip(transposed(rows)) {
        *column = spread_filter::<T, S>(simd, row);
    }
    transposed(columns)
}

/// `G g`
#[inline(always)]
fn spread_filter<T: Real, S: Simd>(
    simd: S,
    [a, b, c]: [T::Vector<S>; SIZE],
) -> [T::Vector<S>; TILE] {
    let half = halved::<T, S>(simd, T::plus(simd, a, c));
    let inner = halved::<T, S>(simd, b);
    [a, T::plus(simd, half, inner), T::minus(simd, half, inner), c]
}

/// `G^T du G` of as many filters as a vector has lanes.
#[inline(always)]
pub fn filter_gradient<T: Real, S: Simd>(
    simd: S,
    products: [[T::Vector<S>; TILE]; TILE],
) -> [[T::Vector<S>; SIZE]; SIZE] {
    let zero = T::splat(simd, T::zero());
    let (mut rows, mut columns) = ([[zero; SIZE]; TILE], [[zero; SIZE]; SIZE]);
    for (row, products) in rows.iter_mut().zip(products) {
        *row = gather_filter::<T, S>(simd, products);
    }
    for (column, row) in columns.iter_mut().zip(transposed(rows)) {
        *column = gather_filter::<T, S>(simd, row);
    }
    transposed(columns)
}

/// `G^T du`
#[inline(always)]
fn gather_filter<T: Real, S: Simd>(
    simd: S,
    [a, b, c, d]: [T::Vector<S>; TILE],
) -> [T::Vector<S>; SIZE] {
    let sum = halved::<T, S>(simd, T::plus(simd, b, c));
    let difference = halved::<T, S>(simd, T::minus(simd, b, c));
    [T::plus(simd, a, sum), difference, T::plus(simd, sum, d)]
}

#[inline(always)]
fn halved<T: Real, S: Simd>(simd: S, value: T::Vector<S>) -> T::Vector<S> {
    let half = T::one() / (T::one() + T::one());
    T::multiply_add(simd, T::splat(simd, half), value, T::splat(simd, T::zero()))
}
