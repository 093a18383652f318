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

/// Sum of the squares. Those of f32 do not overflow in f64.
#[inline(always)]
pub fn sum_of_squares<T: SimdFloat>(values: &[T]) -> f64 {
    let square = |value: &T| to_f64(*value).powi(2);
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, value)| *sum += square(value));
    }
    sums.iter().sum::<f64>() + rest.iter().map(square).sum::<f64>()
}
