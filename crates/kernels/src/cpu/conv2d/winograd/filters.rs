use super::super::super::product::WIDTH;
use super::super::super::real::Real;
use super::{TILE, transposed};

type Row<T> = [T; WIDTH];

/// `G g G^T`
#[inline(always)]
pub fn transform_filter<T: Real>(filter: &[[Row<T>; 3]; 3]) -> [[Row<T>; TILE]; TILE] {
    transposed(transposed(filter.map(spread_filter)).map(spread_filter))
}

/// `G g`
#[inline(always)]
fn spread_filter<T: Real>([a, b, c]: [Row<T>; 3]) -> [Row<T>; TILE] {
    let half = half::<T>();
    let outer = each(a, c, |a, c| (a + c) * half);
    let inner = b.map(|b| b * half);
    [a, each(outer, inner, |a, b| a + b), each(outer, inner, |a, b| a - b), c]
}

/// `G^T du G`
#[inline(always)]
pub fn filter_gradient<T: Real>(products: &[[Row<T>; TILE]; TILE]) -> [[Row<T>; 3]; 3] {
    transposed(transposed(products.map(gather_filter)).map(gather_filter))
}

/// `G^T du`
#[inline(always)]
fn gather_filter<T: Real>([a, b, c, d]: [Row<T>; TILE]) -> [Row<T>; 3] {
    let half = half::<T>();
    let sum = each(b, c, |b, c| (b + c) * half);
    let difference = each(b, c, |b, c| (b - c) * half);
    [each(a, sum, |a, b| a + b), difference, each(sum, d, |a, b| a + b)]
}

fn half<T: Real>() -> T {
    T::one() / (T::one() + T::one())
}

#[inline(always)]
fn each<T: Real>(mut a: Row<T>, b: Row<T>, of: impl Fn(T, T) -> T) -> Row<T> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a = of(*a, b));
    a
}
