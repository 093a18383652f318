//! Parallel matrix products with the crate `gemm`.
#![expect(unsafe_code, reason = "`gemm` takes pointers")]

use std::any::TypeId;

use gemm::Parallelism;
use rayon::prelude::*;

use super::{SimdFloat, vectorized};
use crate::buffer_pool::Buffer;

/// View of a row-major matrix, of its transpose, or of a submatrix of either.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    /// Storage, starting with the first element.
    values: &'a [T],
    rows: usize,
    columns: usize,
    /// Distance between rows.
    row_stride: usize,
    /// Distance between columns.
    column_stride: usize,
}

/// Products of at most this many elements use split-K: `gemm` parallelises over elements only.
const SPLIT_K_MAX_ELEMENTS: usize = 1 << 12;

/// Maximum number of splits along the inner dimension. Independent of the number of threads, so
/// that results are too.
const MAX_SPLITS: usize = 16;

/// Minimum number of multiply-adds per split, below which threading overhead dominates.
const MIN_MULTIPLY_ADDS: usize = 1 << 18;

impl<'a, T: SimdFloat> Matrix<'a, T> {
    /// Creates a matrix `[rows, columns]`.
    ///
    /// # Panics
    ///
    /// If the length of `values` is not `rows * columns`.
    pub fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} x {columns}");
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// Returns the transpose, `[columns, rows]`.
    pub fn transposed(self) -> Self {
        let Self { rows, columns, row_stride, column_stride, .. } = self;
        let (row_stride, column_stride) = (column_stride, row_stride);
        Self { rows: columns, columns: rows, row_stride, column_stride, ..self }
    }

    /// Splits the matrix into blocks of `count` rows; the last may have fewer.
    fn row_blocks(self, count: usize) -> Vec<Self> {
        let block = |first: usize| Self {
            values: self.values.split_at(first * self.row_stride).1,
            rows: count.min(self.rows - first),
            ..self
        };
        (0..self.rows).step_by(count).map(block).collect()
    }

    /// Writes the product with `other`, `[rows, other.columns]`.
    ///
    /// # Panics
    ///
    /// If the shapes do not match.
    pub fn times(self, other: Self, product: &mut [T]) {
        assert_eq!(self.columns, other.rows, "the inner sizes of a product");
        assert_eq!(product.len(), self.rows * other.columns, "the size of a product");
        let splits = (product.len() * self.columns / MIN_MULTIPLY_ADDS).min(MAX_SPLITS);
        if product.len() <= SPLIT_K_MAX_ELEMENTS && splits > 1 {
            self.split_k_times(other, self.columns.div_ceil(splits), product);
        } else {
            self.gemm_times(other, Parallelism::Rayon(0), product);
        }
    }

    /// Split-K product: sums the products of blocks of `count` columns with the same rows of
    /// `other`.
    fn split_k_times(self, other: Self, count: usize, product: &mut [T]) {
        let blocks = self.transposed().row_blocks(count);
        let mut products = Buffer::new(blocks.len() * product.len());
        let pairs = blocks.into_par_iter().zip(other.row_blocks(count));
        pairs.zip(products.par_chunks_exact_mut(product.len())).for_each(
            |((columns, rows), product)| {
                columns.transposed().gemm_times(rows, Parallelism::None, product)
            },
        );
        sum(&products, product);
    }

    fn gemm_times(self, other: Self, parallelism: Parallelism, product: &mut [T]) {
        let is_known =
            TypeId::of::<T>() == TypeId::of::<f32>() || TypeId::of::<T>() == TypeId::of::<f64>();
        assert!(is_known, "matrices are of f32 or f64");
        // SAFETY: sizes and strides are within the slices, as ensured by `new`, `row_blocks` and
        // `times`; `product` is not read.
        unsafe {
            gemm::gemm(
                self.rows,
                other.columns,
                self.columns,
                product.as_mut_ptr(),
                1,
                other.columns as isize,
                false,
                self.values.as_ptr(),
                self.column_stride as isize,
                self.row_stride as isize,
                other.values.as_ptr(),
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

/// Sums `products` in order.
fn sum<T: SimdFloat>(products: &[T], sum: &mut [T]) {
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

    fn test_values(count: usize, seed: usize) -> Vec<f64> {
        (0..count).map(|at| ((at + seed) * 37 % 101) as f64 / 50.0 - 1.0).collect()
    }

    /// Returns the transpose of `[rows, columns]`.
    fn transpose(values: &[f64], rows: usize, columns: usize) -> Vec<f64> {
        (0..rows * columns).map(|at| values[(at % rows) * columns + at / rows]).collect()
    }

    /// One product, equal splits, and a shorter last split.
    const SIZES: [[usize; 3]; 4] = [[1, 1, 1], [1000, 33, 25], [32, 12_288, 25], [24, 12_289, 25]];

    #[test]
    fn products_of_matrices_and_their_transposes_match_the_definition() {
        for [rows, inner, columns] in SIZES {
            let (left, right) = (test_values(rows * inner, 0), test_values(inner * columns, 13));
            let transposed = (transpose(&left, rows, inner), transpose(&right, inner, columns));
            let lefts = [
                Matrix::new(&left, rows, inner),
                Matrix::new(&transposed.0, inner, rows).transposed(),
            ];
            let rights = [
                Matrix::new(&right, inner, columns),
                Matrix::new(&transposed.1, columns, inner).transposed(),
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
    fn products_do_not_depend_on_the_number_of_threads() {
        for [rows, inner, columns] in SIZES {
            let (left, right) = (test_values(rows * inner, 0), test_values(inner * columns, 13));
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
