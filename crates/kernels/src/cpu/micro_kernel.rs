//! GEMM micro-kernels over packed blocks (Goto and van de Geijn 2008): the accumulators of a tile
//! of the product stay in registers, while broadcast elements of the left-hand side (LHS) are
//! multiplied with vectors of the right-hand side (RHS).

use pulp::Simd;

use super::simd_float::{SimdFloat, lanes};

/// Rows of a block.
pub const BLOCK_ROWS: usize = 8;
/// Columns of an LHS block: the depth of one rank-k update.
pub const DEPTH: usize = 16;
/// Columns of an RHS panel and of a product.
pub const PANEL: usize = 32;

/// Block of a LHS matrix.
pub type LhsBlock<T> = [[T; DEPTH]; BLOCK_ROWS];
/// Block of a transposed RHS matrix, or of a product.
pub type RhsBlock<T> = [[T; PANEL]; BLOCK_ROWS];
/// Block of a product with a transposed LHS matrix.
pub type TransposedProduct<T> = [[T; PANEL]; DEPTH];

/// Computes `out = left right`. `left` iterates over blocks along the inner dimension, `right` over
/// the matching rows (fewer than [`DEPTH`] for the last block). The first `width` columns are
/// valid.
#[inline(always)]
pub fn matmul<'a, T: SimdFloat, S: Simd>(
    simd: S,
    left: impl Iterator<Item = &'a LhsBlock<T>> + Clone,
    right: impl Iterator<Item = &'a [[T; PANEL]]> + Clone,
    width: usize,
    out: &mut RhsBlock<T>,
) {
    let one_register = width <= lanes::<T, S>();
    match (S::REGISTER_COUNT < 32, one_register) {
        (true, true) => matmul_tiled::<T, S, 4, 1>(simd, left, right, width, out),
        (true, false) => matmul_tiled::<T, S, 4, 2>(simd, left, right, width, out),
        (false, true) => matmul_tiled::<T, S, 8, 1>(simd, left, right, width, out),
        (false, false) => matmul_tiled::<T, S, 8, 2>(simd, left, right, width, out),
    }
}

/// [`matmul`] with tiles of `ROWS` rows and `REGISTERS` vectors.
#[inline(always)]
fn matmul_tiled<'a, T: SimdFloat, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: impl Iterator<Item = &'a LhsBlock<T>> + Clone,
    right: impl Iterator<Item = &'a [[T; PANEL]]> + Clone,
    width: usize,
    out: &mut RhsBlock<T>,
) {
    for (part, out) in out.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
        for column in 0..width.div_ceil(REGISTERS * lanes::<T, S>()) {
            let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; ROWS];
            for (left, right) in left.clone().zip(right.clone()) {
                let Some(left) = left.as_chunks::<ROWS>().0.get(part) else { continue };
                accumulate_block(simd, left.each_ref(), right, column, &mut sums);
            }
            for (row, sums) in out.iter_mut().zip(sums) {
                if let Some(target) = registers_mut::<T, S, REGISTERS>(row, column) {
                    *target = sums;
                }
            }
        }
    }
}

/// Computes `sums += left right` for the vectors of tile column `column`.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "both indices are below the arrays' lengths")]
pub fn accumulate_block<T: SimdFloat, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: [&[T; DEPTH]; ROWS],
    right: &[[T; PANEL]],
    column: usize,
    sums: &mut [[T::Vector<S>; REGISTERS]; ROWS],
) {
    for (k, right) in (0..DEPTH).zip(right) {
        let Some(right) = registers::<T, S, REGISTERS>(right, column) else { continue };
        for row in 0..ROWS {
            broadcast_mul_add(simd, left[row][k], right, &mut sums[row]);
        }
    }
}

/// Computes `out += left^T right`. `left` and `right` iterate over blocks along the inner
/// dimension. The first `rows` rows and `width` columns of `out` are valid.
#[inline(always)]
pub fn matmul_transposed<'a, T: SimdFloat, S: Simd>(
    simd: S,
    left: impl Iterator<Item = &'a LhsBlock<T>> + Clone,
    right: impl Iterator<Item = &'a RhsBlock<T>> + Clone,
    (rows, width): (usize, usize),
    out: &mut TransposedProduct<T>,
) {
    let one_register = width <= lanes::<T, S>();
    let size = (rows, width);
    match (S::REGISTER_COUNT < 32, one_register) {
        (true, true) => matmul_transposed_tiled::<T, S, 4, 1>(simd, left, right, size, out),
        (true, false) => matmul_transposed_tiled::<T, S, 4, 2>(simd, left, right, size, out),
        (false, true) => matmul_transposed_tiled::<T, S, 8, 1>(simd, left, right, size, out),
        (false, false) => matmul_transposed_tiled::<T, S, 8, 2>(simd, left, right, size, out),
    }
}

#[inline(always)]
fn matmul_transposed_tiled<'a, T: SimdFloat, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: impl Iterator<Item = &'a LhsBlock<T>> + Clone,
    right: impl Iterator<Item = &'a RhsBlock<T>> + Clone,
    (rows, width): (usize, usize),
    out: &mut TransposedProduct<T>,
) {
    let parts = out.as_chunks_mut::<ROWS>().0.iter_mut().take(rows.div_ceil(ROWS));
    for (part, out) in parts.enumerate() {
        for column in 0..width.div_ceil(REGISTERS * lanes::<T, S>()) {
            let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; ROWS];
            for (left, right) in left.clone().zip(right.clone()) {
                accumulate_transposed(simd, left, right, (part, column), &mut sums);
            }
            add_to_rows(simd, &sums, column, out);
        }
    }
}

#[inline(always)]
fn accumulate_transposed<T: SimdFloat, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: &LhsBlock<T>,
    right: &RhsBlock<T>,
    (part, column): (usize, usize),
    sums: &mut [[T::Vector<S>; REGISTERS]; ROWS],
) {
    for (left, right) in left.iter().zip(right) {
        let Some(left) = left.as_chunks::<ROWS>().0.get(part) else { continue };
        let Some(right) = registers::<T, S, REGISTERS>(right, column) else { continue };
        for (&left, sums) in left.iter().zip(sums.iter_mut()) {
            broadcast_mul_add(simd, left, right, sums);
        }
    }
}

/// Adds `sums` to the vectors of tile column `column` of the rows of `out`.
#[inline(always)]
pub fn add_to_rows<T: SimdFloat, S: Simd, const REGISTERS: usize>(
    simd: S,
    sums: &[[T::Vector<S>; REGISTERS]],
    column: usize,
    out: &mut [[T; PANEL]],
) {
    for (row, sums) in out.iter_mut().zip(sums) {
        let Some(target) = registers_mut::<T, S, REGISTERS>(row, column) else { continue };
        for (target, &sum) in target.iter_mut().zip(sums) {
            *target = T::simd_add(simd, *target, sum);
        }
    }
}

/// Computes `sums += left * right` with `left` broadcast to all lanes.
#[inline(always)]
pub fn broadcast_mul_add<T: SimdFloat, S: Simd, const REGISTERS: usize>(
    simd: S,
    left: T,
    right: &[T::Vector<S>; REGISTERS],
    sums: &mut [T::Vector<S>; REGISTERS],
) {
    let left = T::splat(simd, left);
    for (sum, &right) in sums.iter_mut().zip(right) {
        *sum = T::simd_mul_add(simd, left, right, *sum);
    }
}

#[inline(always)]
fn registers<T: SimdFloat, S: Simd, const REGISTERS: usize>(
    row: &[T; PANEL],
    column: usize,
) -> Option<&[T::Vector<S>; REGISTERS]> {
    T::as_vectors::<S>(row).0.as_chunks().0.get(column)
}

#[inline(always)]
fn registers_mut<T: SimdFloat, S: Simd, const REGISTERS: usize>(
    row: &mut [T; PANEL],
    column: usize,
) -> Option<&mut [T::Vector<S>; REGISTERS]> {
    T::as_vectors_mut::<S>(row).0.as_chunks_mut().0.get_mut(column)
}
