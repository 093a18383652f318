//! Products of small matrices that lie in blocks, so that every access is at a fixed distance
//! from the one before. A register holds some columns of the right matrix; numbers of the left
//! one are repeated in all its lanes.

use pulp::Simd;

use super::real::{Real, lanes};

/// Rows of a block.
pub const GROUP: usize = 8;
/// Columns of a block of a left matrix.
pub const DEPTH: usize = 16;
/// Columns of a block of a right matrix, and of a product.
pub const WIDTH: usize = 32;

/// A block of a left matrix.
pub type Left<T> = [[T; DEPTH]; GROUP];
/// A block of a right matrix that is transposed, or of a product.
pub type Right<T> = [[T; WIDTH]; GROUP];
/// A block of a product with a transposed left matrix.
pub type Transposed<T> = [[T; WIDTH]; DEPTH];

/// `out = left right`, of blocks `left` from left to right, and as many rows of `right` for each
/// as it has columns that count. Of the columns of `right` the first `width` count.
#[inline(always)]
pub fn multiply<'a, T: Real, S: Simd>(
    simd: S,
    left: impl Iterator<Item = &'a Left<T>> + Clone,
    right: impl Iterator<Item = &'a [[T; WIDTH]]> + Clone,
    width: usize,
    out: &mut Right<T>,
) {
    let one_register = width <= lanes::<T, S>();
    match (S::REGISTER_COUNT < 32, one_register) {
        (true, true) => multiply_rows::<T, S, 4, 1>(simd, left, right, width, out),
        (true, false) => multiply_rows::<T, S, 4, 2>(simd, left, right, width, out),
        (false, true) => multiply_rows::<T, S, 8, 1>(simd, left, right, width, out),
        (false, false) => multiply_rows::<T, S, 8, 2>(simd, left, right, width, out),
    }
}

/// With `REGISTERS` in which a row is summed up.
#[inline(always)]
fn multiply_rows<'a, T: Real, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: impl Iterator<Item = &'a Left<T>> + Clone,
    right: impl Iterator<Item = &'a [[T; WIDTH]]> + Clone,
    width: usize,
    out: &mut Right<T>,
) {
    for (part, out) in out.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
        for column in 0..width.div_ceil(REGISTERS * lanes::<T, S>()) {
            let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; ROWS];
            for (left, right) in left.clone().zip(right.clone()) {
                let Some(left) = left.as_chunks::<ROWS>().0.get(part) else { continue };
                add_block(simd, left.each_ref(), right, column, &mut sums);
            }
            for (row, sums) in out.iter_mut().zip(sums) {
                if let Some(place) = registers_mut::<T, S, REGISTERS>(row, column) {
                    *place = sums;
                }
            }
        }
    }
}

/// Adds `left right` to `sums`, given the rows of `left`, of as many columns as `right` has rows.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "both indices are below the arrays' lengths")]
pub fn add_block<T: Real, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: [&[T; DEPTH]; ROWS],
    right: &[[T; WIDTH]],
    column: usize,
    sums: &mut [[T::Vector<S>; REGISTERS]; ROWS],
) {
    for (k, right) in (0..DEPTH).zip(right) {
        let Some(right) = registers::<T, S, REGISTERS>(right, column) else { continue };
        for row in 0..ROWS {
            add_outer(simd, left[row][k], right, &mut sums[row]);
        }
    }
}

/// `out += left^T right`, of blocks `left` and `right` from top to bottom. Of the rows of `out` the
/// first `rows` count, of its columns the first `width`.
#[inline(always)]
pub fn multiply_transposed<'a, T: Real, S: Simd>(
    simd: S,
    left: impl Iterator<Item = &'a Left<T>> + Clone,
    right: impl Iterator<Item = &'a Right<T>> + Clone,
    (rows, width): (usize, usize),
    out: &mut Transposed<T>,
) {
    let one_register = width <= lanes::<T, S>();
    let size = (rows, width);
    match (S::REGISTER_COUNT < 32, one_register) {
        (true, true) => multiply_columns::<T, S, 4, 1>(simd, left, right, size, out),
        (true, false) => multiply_columns::<T, S, 4, 2>(simd, left, right, size, out),
        (false, true) => multiply_columns::<T, S, 8, 1>(simd, left, right, size, out),
        (false, false) => multiply_columns::<T, S, 8, 2>(simd, left, right, size, out),
    }
}

#[inline(always)]
fn multiply_columns<'a, T: Real, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: impl Iterator<Item = &'a Left<T>> + Clone,
    right: impl Iterator<Item = &'a Right<T>> + Clone,
    (rows, width): (usize, usize),
    out: &mut Transposed<T>,
) {
    let parts = out.as_chunks_mut::<ROWS>().0.iter_mut().take(rows.div_ceil(ROWS));
    for (part, out) in parts.enumerate() {
        for column in 0..width.div_ceil(REGISTERS * lanes::<T, S>()) {
            let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; ROWS];
            for (left, right) in left.clone().zip(right.clone()) {
                add_block_transposed(simd, left, right, (part, column), &mut sums);
            }
            add_rows(simd, &sums, column, out);
        }
    }
}

#[inline(always)]
fn add_block_transposed<T: Real, S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    left: &Left<T>,
    right: &Right<T>,
    (part, column): (usize, usize),
    sums: &mut [[T::Vector<S>; REGISTERS]; ROWS],
) {
    for (left, right) in left.iter().zip(right) {
        let Some(left) = left.as_chunks::<ROWS>().0.get(part) else { continue };
        let Some(right) = registers::<T, S, REGISTERS>(right, column) else { continue };
        for (&left, sums) in left.iter().zip(sums.iter_mut()) {
            add_outer(simd, left, right, sums);
        }
    }
}

/// Adds `sums` to registers `column` of the rows of `out`.
#[inline(always)]
pub fn add_rows<T: Real, S: Simd, const REGISTERS: usize>(
    simd: S,
    sums: &[[T::Vector<S>; REGISTERS]],
    column: usize,
    out: &mut [[T; WIDTH]],
) {
    for (row, sums) in out.iter_mut().zip(sums) {
        let Some(place) = registers_mut::<T, S, REGISTERS>(row, column) else { continue };
        for (place, &sum) in place.iter_mut().zip(sums) {
            *place = T::plus(simd, *place, sum);
        }
    }
}

/// Adds `left` times `right`.
#[inline(always)]
pub fn add_outer<T: Real, S: Simd, const REGISTERS: usize>(
    simd: S,
    left: T,
    right: &[T::Vector<S>; REGISTERS],
    sums: &mut [T::Vector<S>; REGISTERS],
) {
    let left = T::splat(simd, left);
    for (sum, &right) in sums.iter_mut().zip(right) {
        *sum = T::multiply_add(simd, left, right, *sum);
    }
}

#[inline(always)]
fn registers<T: Real, S: Simd, const REGISTERS: usize>(
    row: &[T; WIDTH],
    column: usize,
) -> Option<&[T::Vector<S>; REGISTERS]> {
    T::vectors::<S>(row).0.as_chunks().0.get(column)
}

#[inline(always)]
fn registers_mut<T: Real, S: Simd, const REGISTERS: usize>(
    row: &mut [T; WIDTH],
    column: usize,
) -> Option<&mut [T::Vector<S>; REGISTERS]> {
    T::vectors_mut::<S>(row).0.as_chunks_mut().0.get_mut(column)
}
