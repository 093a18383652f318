//! Products of matrices, by the crate `gemm`.
#![expect(unsafe_code, reason = "`gemm` takes pointers")]

use std::any::TypeId;

use gemm::Parallelism;

use super::Real;

/// A matrix in row-major order, or the transpose of one.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    numbers: &'a [T],
    rows: usize,
    columns: usize,
    is_transposed: bool,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// `[rows, columns]`
    ///
    /// # Panics
    ///
    /// If there are not as many numbers.
    pub fn new(numbers: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(numbers.len(), rows * columns, "a matrix of {rows} x {columns}");
        Self { numbers, rows, columns, is_transposed: false }
    }

    /// `[columns, rows]`
    pub fn transposed(self) -> Self {
        let Self { rows, columns, is_transposed, .. } = self;
        Self { rows: columns, columns: rows, is_transposed: !is_transposed, ..self }
    }

    /// From one row to the next, and from one column to the next.
    fn strides(&self) -> (isize, isize) {
        match self.is_transposed {
            true => (1, self.rows as isize),
            false => (self.columns as isize, 1),
        }
    }

    /// Writes the product with `other`, `[rows, other.columns]`.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn times(self, other: Self, product: &mut [T]) {
        assert_eq!(self.columns, other.rows, "the inner sizes of a product");
        assert_eq!(product.len(), self.rows * other.columns, "the size of a product");
        let is_known =
            TypeId::of::<T>() == TypeId::of::<f32>() || TypeId::of::<T>() == TypeId::of::<f64>();
        assert!(is_known, "matrices are of f32 or f64");
        let ((left_row, left_column), (right_row, right_column)) =
            (self.strides(), other.strides());
        // SAFETY: the sizes and strides are those of the slices, as asserted here and in `new`;
        // what `product` holds is not read.
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
                left_column,
                left_row,
                other.numbers.as_ptr(),
                right_column,
                right_row,
                T::zero(),
                T::one(),
                false,
                false,
                false,
                Parallelism::Rayon(0),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_matrices_and_their_transposes_are_sums_over_the_inner_size() {
        let (rows, inner, columns) = (7, 300, 5);
        let number = |index: usize| ((index * 37) % 101) as f64 / 50.0 - 1.0;
        let left: Vec<f64> = (0..rows * inner).map(number).collect();
        let right: Vec<f64> = (0..inner * columns).map(|index| number(index + 13)).collect();
        let swap = |numbers: &[f64], rows: usize, columns: usize| -> Vec<f64> {
            (0..rows * columns).map(|at| numbers[(at % rows) * columns + at / rows]).collect()
        };
        let (left_swapped, right_swapped) =
            (swap(&left, rows, inner), swap(&right, inner, columns));
        let lefts =
            [Matrix::new(&left, rows, inner), Matrix::new(&left_swapped, inner, rows).transposed()];
        let rights = [
            Matrix::new(&right, inner, columns),
            Matrix::new(&right_swapped, columns, inner).transposed(),
        ];
        for (left_matrix, right_matrix) in lefts.into_iter().flat_map(|l| rights.map(|r| (l, r))) {
            let mut product = vec![f64::NAN; rows * columns];
            left_matrix.times(right_matrix, &mut product);
            for (at, found) in product.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let expected: f64 =
                    (0..inner).map(|k| left[row * inner + k] * right[k * columns + column]).sum();
                assert!((found - expected).abs() < 1e-12, "{row}, {column}");
            }
        }
    }
}
