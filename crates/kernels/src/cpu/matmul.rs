//! Products of matrices, by the crate `gemm`, in pieces for all threads.
#![expect(unsafe_code, reason = "`gemm` takes pointers")]

use std::any::TypeId;

use gemm::Parallelism;
use rayon::prelude::*;

use super::{Real, vectorized};
use crate::memory::Memory;

/// A matrix in row-major order, the transpose of one, or a part of either.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    /// From its first number on.
    numbers: &'a [T],
    rows: usize,
    columns: usize,
    /// From one row to the next.
    row_stride: usize,
    /// From one column to the next.
    column_stride: usize,
}

/// The most numbers of a product in which `gemm` finds too little to share among threads.
const SMALL: usize = 1 << 12;

/// Into how many pieces a small product is cut at most. As many for any number of threads, so that
/// the sums of the pieces have the same bits.
const PIECES: usize = 16;

/// Multiplications below which a piece is not worth the hand-over to another thread.
const WORTHWHILE: usize = 1 << 18;

impl<'a, T: Real> Matrix<'a, T> {
    /// `[rows, columns]`
    ///
    /// # Panics
    ///
    /// If there are not as many numbers.
    pub fn new(numbers: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(numbers.len(), rows * columns, "a matrix of {rows} x {columns}");
        Self { numbers, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// `[columns, rows]`
    pub fn transposed(self) -> Self {
        let Self { rows, columns, row_stride, column_stride, .. } = self;
        let (row_stride, column_stride) = (column_stride, row_stride);
        Self { rows: columns, columns: rows, row_stride, column_stride, ..self }
    }

    /// Parts of `count` rows, the last may have fewer.
    fn row_parts(self, count: usize) -> Vec<Self> {
        let part = |first: usize| Self {
            numbers: self.numbers.split_at(first * self.row_stride).1,
            rows: count.min(self.rows - first),
            ..self
        };
        (0..self.rows).step_by(count).map(part).collect()
    }

    /// Writes the product with `other`, `[rows, other.columns]`.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn times(self, other: Self, product: &mut [T]) {
        assert_eq!(self.columns, other.rows, "the inner sizes of a product");
        assert_eq!(product.len(), self.rows * other.columns, "the size of a product");
        let pieces = (product.len() * self.columns / WORTHWHILE).min(PIECES);
        if product.len() <= SMALL && pieces > 1 {
            self.times_in_parts(other, self.columns.div_ceil(pieces), product);
        } else {
            self.times_by_gemm(other, Parallelism::Rayon(0), product);
        }
    }

    /// The sum of the products of parts of `count` columns with as many rows of `other`.
    fn times_in_parts(self, other: Self, count: usize, product: &mut [T]) {
        let parts = self.transposed().row_parts(count);
        let mut products = Memory::new(parts.len() * product.len());
        let pairs = parts.into_par_iter().zip(other.row_parts(count));
        pairs.zip(products.par_chunks_exact_mut(product.len())).for_each(
            |((columns, rows), product)| {
                columns.transposed().times_by_gemm(rows, Parallelism::None, product)
            },
        );
        sum(&products, product);
    }

    fn times_by_gemm(self, other: Self, parallelism: Parallelism, product: &mut [T]) {
        let is_known =
            TypeId::of::<T>() == TypeId::of::<f32>() || TypeId::of::<T>() == TypeId::of::<f64>();
        assert!(is_known, "matrices are of f32 or f64");
        // SAFETY: the sizes and strides are those of the slices, as `new`, `row_parts` and `times`
        // make sure; what `product` holds is not read.
        unsafe {
            gemm::gemm(
                self.rows,
                other.columns,
                self.columns,
                product.as_mut_ptr(),
                1,
                other.columns as isize,
                false,
                self.numbers.as_ptr(),
                self.column_stride as isize,
                self.row_stride as isize,
                other.numbers.as_ptr(),
                other.column_stride as isize,
                other.row_stride as isize,
                T::zero(),
                T::one(),
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

/// Adds `products` up in their order.
fn sum<T: Real>(products: &[T], sum: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            sum.fill(T::zero());
            for product in products.chunks_exact(sum.len()) {
                sum.iter_mut().zip(product).for_each(|(sum, &part)| *sum = *sum + part);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        (0..count).map(|at| ((at + seed) * 37 % 101) as f64 / 50.0 - 1.0).collect()
    }

    /// The transpose of `[rows, columns]`.
    fn swapped(numbers: &[f64], rows: usize, columns: usize) -> Vec<f64> {
        (0..rows * columns).map(|at| numbers[(at % rows) * columns + at / rows]).collect()
    }

    /// At once, in equal parts, and with a part that is shorter.
    const SIZES: [[usize; 3]; 4] = [[1, 1, 1], [1000, 33, 25], [32, 12_288, 25], [24, 12_289, 25]];

    #[test]
    fn products_of_matrices_and_their_transposes_are_sums_over_the_inner_size() {
        for [rows, inner, columns] in SIZES {
            let (left, right) = (numbers(rows * inner, 0), numbers(inner * columns, 13));
            let turned = (swapped(&left, rows, inner), swapped(&right, inner, columns));
            let lefts =
                [Matrix::new(&left, rows, inner), Matrix::new(&turned.0, inner, rows).transposed()];
            let rights = [
                Matrix::new(&right, inner, columns),
                Matrix::new(&turned.1, columns, inner).transposed(),
            ];
            let pairs = lefts.into_iter().flat_map(|left| rights.map(|right| (left, right)));
            for (left_matrix, right_matrix) in pairs {
                let mut product = vec![f64::NAN; rows * columns];
                left_matrix.times(right_matrix, &mut product);
                for (at, found) in product.iter().enumerate() {
                    let (row, column) = (at / columns, at % columns);
                    let sum = |sum, k| sum + left[row * inner + k] * right[k * columns + column];
                    let expected: f64 = (0..inner).fold(0.0, sum);
                    assert!(
                        (found - expected).abs() < 1e-12 * inner as f64,
                        "{rows}x{inner}x{columns}, {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit_of_a_product() {
        for [rows, inner, columns] in SIZES {
            let (left, right) = (numbers(rows * inner, 0), numbers(inner * columns, 13));
            let product = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut product = vec![f64::NAN; rows * columns];
                let (left, right) =
                    (Matrix::new(&left, rows, inner), Matrix::new(&right, inner, columns));
                pool.install(|| left.times(right, &mut product));
                product
            };
            let one = product(1);
            for threads in [2, 3, 8] {
                assert_eq!(product(threads), one, "{threads} threads");
            }
        }
    }
}
