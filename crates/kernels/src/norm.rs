use burn::tensor::Tensor;

/// Euclidean norm of a tensor, `[1]`; finite only if every value is. The fused kernel adds
/// squares that overflow or underflow in f64. On other backends, squares of f32 overflow above 1e19, as they do in Adam.
pub fn norm<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&tensor) {
        return crate::fused::norm(tensor);
    }
    tensor.square().sum().sqrt()
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    use super::*;
    use crate::testing::{assert_close, random};
    use burn::tensor::{DType, Device};

    #[test]
    fn the_norm_matches_the_formula() {
        for (precision, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
            // One piece, several pieces, and lengths that are no multiple of a block.
            for shape in [[1, 3], [7, 5001], [130, 513]] {
                let tensor = random::<2>(1, shape, precision, &Device::flex()).swap_dims(0, 1);
                let expected = tensor.clone().square().sum().sqrt();
                assert_close(norm(tensor), expected, tolerance);
            }
        }
    }

    #[test]
    fn large_values_are_no_false_alarm_and_small_ones_not_zero() {
        for value in [1e30, 1e-30] {
            let norm = norm(Tensor::<1>::full([40_000], value, &Device::flex()));
            let norm = f64::from(norm.into_scalar::<f32>());
            assert!((norm / (200.0 * value) - 1.0).abs() < 1e-6, "{norm}");
        }
    }
}
