use burn::tensor::Tensor;

/// Coefficients of one step of Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1 with the bias
/// correction in the step size, section 2) with decoupled weight decay (AdamW).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamCoefficients {
    /// Decay rate of the first moment.
    pub beta_1: f64,
    /// Decay rate of the second moment.
    pub beta_2: f64,
    /// Bias-corrected learning rate: `lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)`.
    pub step_size: f64,
    /// Bias-corrected epsilon: `epsilon * sqrt(1 - beta_2^t)`.
    pub epsilon: f64,
    /// Factor of the parameter before the update: `1 - lr * weight_decay`.
    pub decay_factor: f64,
}

/// Results of one step, without autodiff history.
#[derive(Debug, Clone)]
pub struct AdamUpdate<const D: usize> {
    /// Updated parameter.
    pub parameter: Tensor<D>,
    /// Updated first moment: running mean of the gradients.
    pub moment_1: Tensor<D>,
    /// Updated second moment: running mean of the squared gradients.
    pub moment_2: Tensor<D>,
    /// Norm of the gradient, `[1]`, as [`crate::norm()`] without another pass.
    pub gradient_norm: Tensor<1>,
}

/// Performs one step: `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`,
/// `p = decay_factor p - step_size m / (sqrt(v) + epsilon)`. All tensors have the same shape.
pub fn adam<const D: usize>(
    adam: &AdamCoefficients,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moment_1: Tensor<D>,
    moment_2: Tensor<D>,
) -> AdamUpdate<D> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&parameter) {
        return crate::fused::adam(adam, parameter, gradient, moment_1, moment_2);
    }
    let squares = gradient.clone().square();
    let gradient_norm = squares.clone().sum().sqrt();
    let moment_1 = moment_1 * adam.beta_1 + gradient * (1.0 - adam.beta_1);
    let moment_2 = moment_2 * adam.beta_2 + squares * (1.0 - adam.beta_2);
    let step = moment_1.clone() * adam.step_size / (moment_2.clone().sqrt() + adam.epsilon);
    let decayed = if adam.decay_factor == 1.0 { parameter } else { parameter * adam.decay_factor };
    AdamUpdate { parameter: decayed - step, moment_1, moment_2, gradient_norm }
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    use super::*;
    use crate::testing::{assert_close, random};
    use burn::tensor::{DType, Device};

    const STEP: AdamCoefficients = AdamCoefficients {
        beta_1: 0.9,
        beta_2: 0.99,
        step_size: 0.01,
        epsilon: 1e-8,
        decay_factor: 0.999,
    };

    #[test]
    fn a_step_matches_the_formula_and_measures_the_gradient() {
        for (precision, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
            // One piece, several pieces, and lengths that are no multiple of a block.
            for shape in [[1, 3], [7, 5001], [130, 513]] {
                let device = Device::flex();
                let [p, g, m, v] =
                    [1, 2, 3, 4].map(|seed| random::<2>(seed, shape, precision, &device));
                let update = adam(&STEP, p.clone(), g.clone(), m.clone(), v.clone().square());
                let m = m * STEP.beta_1 + g.clone() * (1.0 - STEP.beta_1);
                let v = v.square() * STEP.beta_2 + g.clone().square() * (1.0 - STEP.beta_2);
                let moved = m.clone() * STEP.step_size / (v.clone().sqrt() + STEP.epsilon);
                assert_close(update.parameter, p * STEP.decay_factor - moved, tolerance);
                assert_close(update.moment_1, m, tolerance);
                assert_close(update.moment_2, v, tolerance);
                assert_eq!(update.gradient_norm.into_data(), crate::norm(g).into_data());
            }
        }
    }

    #[test]
    fn one_non_finite_gradient_makes_the_norm_non_finite() {
        for at in [0, 63, 64, 40_000, 70_000] {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let [p, g, m, v] = [1, 2, 3, 4]
                    .map(|seed| random::<1>(seed, [70_001], DType::F32, &Device::flex()));
                let update = adam(&STEP, p, g.slice_fill(at..at + 1, value), m, v.square());
                assert!(!update.gradient_norm.into_scalar::<f32>().is_finite(), "{value} at {at}");
                let parameter = update.parameter.into_data().try_into_vec::<f32>().unwrap();
                let bad: Vec<_> = (0..70_001).filter(|&at| !parameter[at].is_finite()).collect();
                assert_eq!(bad, [at], "{value}");
            }
        }
    }
}
