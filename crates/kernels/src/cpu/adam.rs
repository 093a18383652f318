use rayon::prelude::*;

use super::norm::{PIECE, sum_of_squares};
use super::{SimdFloat, from_f64, vectorized};
use crate::AdamCoefficients;

/// Performs one step and returns the norm of the gradient. Overwrites the gradient with the updated
/// parameters, which avoids an allocation.
pub fn step<T: SimdFloat>(
    coefficients: &AdamCoefficients,
    parameters: &[T],
    gradients: &mut [T],
    moments_1: &mut [T],
    moments_2: &mut [T],
) -> f64 {
    let coefficients = Coefficients::new(coefficients);
    let pieces = gradients.par_chunks_mut(PIECE).zip(parameters.par_chunks(PIECE));
    let moments = moments_1.par_chunks_mut(PIECE).zip(moments_2.par_chunks_mut(PIECE));
    let sums = pieces.zip(moments).map(|((gradients, parameters), (moments_1, moments_2))| {
        vectorized(
            #[inline(always)]
            || {
                let sum = sum_of_squares(gradients);
                coefficients.step(parameters, gradients, moments_1, moments_2);
                sum
            },
        )
    });
    sums.collect::<Vec<_>>().iter().sum::<f64>().sqrt()
}

#[derive(Clone, Copy)]
struct Coefficients<T> {
    beta_1: T,
    one_minus_beta_1: T,
    beta_2: T,
    one_minus_beta_2: T,
    step_size: T,
    epsilon: T,
    decay_factor: T,
}

impl<T: SimdFloat> Coefficients<T> {
    fn new(adam: &AdamCoefficients) -> Self {
        Self {
            beta_1: from_f64(adam.beta_1),
            one_minus_beta_1: from_f64(1.0 - adam.beta_1),
            beta_2: from_f64(adam.beta_2),
            one_minus_beta_2: from_f64(1.0 - adam.beta_2),
            step_size: from_f64(adam.step_size),
            epsilon: from_f64(adam.epsilon),
            decay_factor: from_f64(adam.decay_factor),
        }
    }

    #[inline(always)]
    fn step(self, parameters: &[T], gradients: &mut [T], moments_1: &mut [T], moments_2: &mut [T]) {
        let all = parameters.iter().zip(gradients).zip(moments_1).zip(moments_2);
        for (((&parameter, gradient), moment_1), moment_2) in all {
            let first = *moment_1 * self.beta_1 + *gradient * self.one_minus_beta_1;
            let second = *moment_2 * self.beta_2 + *gradient * *gradient * self.one_minus_beta_2;
            let step = first * self.step_size / (second.sqrt() + self.epsilon);
            *gradient = parameter * self.decay_factor - step;
            (*moment_1, *moment_2) = (first, second);
        }
    }
}
