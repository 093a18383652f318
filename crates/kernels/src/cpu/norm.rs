use std::ops::Range;

use rayon::prelude::*;

use super::{SimdFloat, to_f64, vectorized};

/// Number of values per parallel piece.
pub const PIECE: usize = 1 << 14;

/// Number of partial sums: the lanes of four of the widest vectors.
const LANES: usize = 32;

/// Euclidean norm.
pub fn norm<T: SimdFloat>(values: &[T]) -> f64 {
    let sums = values.par_chunks(PIECE).map(|piece| {
        vectorized(
            #[inline(always)]
            || sum_of_squares(piece),
        )
    });
    sums.collect::<Vec<_>>().iter().sum::<f64>().sqrt()
}

/// Sums between these have lost nothing to overflow, and nothing that counts to underflow, in f32.
const SAFE: Range<f64> = 1e-25..1e38;

/// Sum of the squares; in f64 if that of `T` could lose some.
#[inline(always)]
pub fn sum_of_squares<T: SimdFloat>(values: &[T]) -> f64 {
    let sum = to_f64(sum_of(values, |value| value * value));
    if SAFE.contains(&sum) { sum } else { sum_of(values, |value| to_f64(value).powi(2)) }
}

/// Sum of `term` over all values.
#[inline(always)]
fn sum_of<T: SimdFloat, S: SimdFloat>(values: &[T], term: impl Fn(T) -> S) -> S {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut sums = [S::zero(); LANES];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, &value)| *sum = *sum + term(value));
    }
    let rest = rest.iter().map(|&value| term(value));
    rest.chain(sums).fold(S::zero(), |sum, term| sum + term)
}
