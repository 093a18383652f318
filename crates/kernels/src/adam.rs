use burn::tensor::Tensor;

/// The numbers of one step of Adam (Kingma and Ba 2015, algorithm 1, in the order of their section
/// 2 that corrects the bias by the rate) with decoupled weight decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// The decay of the mean of the gradients.
    pub beta_1: f64,
    /// The decay of the mean of their squares.
    pub beta_2: f64,
    /// The learning rate, corrected for the bias of both means.
    pub rate: f64,
    /// What is added to the root of the second mean, corrected for its bias.
    pub epsilon: f64,
    /// The share of a parameter that weight decay leaves.
    pub kept: f64,
}

/// What a step leaves, without gradients of its own.
#[derive(Debug, Clone)]
pub struct AdamStep<const D: usize> {
    /// The new parameter.
    pub parameter: Tensor<D>,
    /// The new mean of the gradients.
    pub moment_1: Tensor<D>,
    /// The new mean of their squares.
    pub moment_2: Tensor<D>,
    /// The sum of the gradient, `[1]`: it costs a pass of its own over all numbers elsewhere.
    pub gradient_sum: Tensor<1>,
}

/// One step: `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`,
/// `p = kept p - rate m / (sqrt(v) + epsilon)`. All of one shape.
pub fn adam<const D: usize>(
    adam: &Adam,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moment_1: Tensor<D>,
    moment_2: Tensor<D>,
) -> AdamStep<D> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&parameter) {
        return crate::fused::adam(adam, parameter, gradient, moment_1, moment_2);
    }
    let gradient_sum = gradient.clone().sum();
    let moment_1 = moment_1 * adam.beta_1 + gradient.clone() * (1.0 - adam.beta_1);
    let moment_2 = moment_2 * adam.beta_2 + gradient.square() * (1.0 - adam.beta_2);
    let step = moment_1.clone() * adam.rate / (moment_2.clone().sqrt() + adam.epsilon);
    let kept = if adam.kept == 1.0 { parameter } else { parameter * adam.kept };
    AdamStep { parameter: kept - step, moment_1, moment_2, gradient_sum }
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    use super::*;
    use crate::testing::{assert_close, numbers};
    use burn::tensor::{DType, Device};

    const STEP: Adam = Adam { beta_1: 0.9, beta_2: 0.99, rate: 0.01, epsilon: 1e-8, kept: 0.999 };

    #[test]
    fn a_step_is_that_of_the_formula_and_sums_the_gradient_up() {
        for (precision, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
            // One piece, several, and lengths that are no multiple of anything.
            for shape in [[1, 3], [7, 5001], [130, 513]] {
                let device = Device::flex();
                let [p, g, m, v] =
                    [1, 2, 3, 4].map(|seed| numbers::<2>(seed, shape, precision, &device));
                let done = adam(&STEP, p.clone(), g.clone(), m.clone(), v.clone().square());
                let m = m * STEP.beta_1 + g.clone() * (1.0 - STEP.beta_1);
                let v = v.square() * STEP.beta_2 + g.clone().square() * (1.0 - STEP.beta_2);
                let moved = m.clone() * STEP.rate / (v.clone().sqrt() + STEP.epsilon);
                assert_close(done.parameter, p * STEP.kept - moved, tolerance);
                assert_close(done.moment_1, m, tolerance);
                assert_close(done.moment_2, v, tolerance);
                assert_close(done.gradient_sum, g.sum(), 10.0 * tolerance);
            }
        }
    }

    #[test]
    fn one_number_that_is_not_finite_makes_the_sum_not_finite() {
        for at in [0, 63, 64, 40_000, 70_000] {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let [p, g, m, v] = [1, 2, 3, 4]
                    .map(|seed| numbers::<1>(seed, [70_001], DType::F32, &Device::flex()));
                let done = adam(&STEP, p, g.slice_fill(at..at + 1, value), m, v.square());
                assert!(!done.gradient_sum.into_scalar::<f32>().is_finite(), "{value} at {at}");
                let parameter = done.parameter.into_data().try_into_vec::<f32>().unwrap();
                let bad: Vec<_> = (0..70_001).filter(|&at| !parameter[at].is_finite()).collect();
                assert_eq!(bad, [at], "{value}");
            }
        }
    }
}
