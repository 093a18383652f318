use rayon::prelude::*;

use super::{Real, real, vectorized};
use crate::Adam;

/// How many parameters are one piece of work.
const PIECE: usize = 1 << 14;

/// How many numbers are summed up side by side: as many as four of the widest vectors hold.
const LANES: usize = 64;

/// One step, and the sum of the gradient. The gradient is overwritten with the parameters that
/// follow from it, so that no memory is needed.
pub fn step<T: Real>(
    adam: &Adam,
    parameters: &[T],
    gradients: &mut [T],
    moments_1: &mut [T],
    moments_2: &mut [T],
) -> T {
    let adam = Coefficients::of(adam);
    let pieces = gradients.par_chunks_mut(PIECE).zip(parameters.par_chunks(PIECE));
    let moments = moments_1.par_chunks_mut(PIECE).zip(moments_2.par_chunks_mut(PIECE));
    let sums = pieces.zip(moments).map(|((gradients, parameters), (moments_1, moments_2))| {
        vectorized(
            #[inline(always)]
            || {
                let sum = sum(gradients);
                adam.step(parameters, gradients, moments_1, moments_2);
                sum
            },
        )
    });
    total(&sums.collect::<Vec<_>>())
}

#[inline(always)]
fn sum<T: Real>(numbers: &[T]) -> T {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [T::zero(); LANES];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, &number)| *sum = *sum + number);
    }
    total(&sums) + total(rest)
}

fn total<T: Real>(sums: &[T]) -> T {
    sums.iter().fold(T::zero(), |total, &sum| total + sum)
}

#[derive(Clone, Copy)]
struct Coefficients<T> {
    beta_1: T,
    rest_1: T,
    beta_2: T,
    rest_2: T,
    rate: T,
    epsilon: T,
    kept: T,
}

impl<T: Real> Coefficients<T> {
    fn of(adam: &Adam) -> Self {
        Self {
            beta_1: real(adam.beta_1),
            rest_1: real(1.0 - adam.beta_1),
            beta_2: real(adam.beta_2),
            rest_2: real(1.0 - adam.beta_2),
            rate: real(adam.rate),
            epsilon: real(adam.epsilon),
            kept: real(adam.kept),
        }
    }

    #[inline(always)]
    fn step(self, parameters: &[T], gradients: &mut [T], moments_1: &mut [T], moments_2: &mut [T]) {
        let all = parameters.iter().zip(gradients).zip(moments_1).zip(moments_2);
        for (((&parameter, gradient), moment_1), moment_2) in all {
            let first = *moment_1 * self.beta_1 + *gradient * self.rest_1;
            let second = *moment_2 * self.beta_2 + *gradient * *gradient * self.rest_2;
            let step = first * self.rate / (second.sqrt() + self.epsilon);
            *gradient = parameter * self.kept - step;
            (*moment_1, *moment_2) = (first, second);
        }
    }
}
