use support::ProgressTask;

use super::analytic::Gradient;
use super::numeric::Cost;

/// The elements of a tensor that are compared.
pub struct Pairs {
    /// Gradient of the backward pass and numeric gradient of each element.
    pub both: Vec<[f64; 2]>,
    pub skipped: usize,
}

/// Number of elements to try per element to check.
const TRIES: usize = 2;

impl Pairs {
    /// Compares the first `samples` elements of `order` around which the `cost` is smooth.
    pub fn compare(
        gradient: &Gradient,
        cost: &Cost,
        order: &[usize],
        samples: usize,
        task: &ProgressTask,
    ) -> Self {
        let mut pairs = Self { both: Vec::new(), skipped: 0 };
        for &element in order.iter().take(samples.saturating_mul(TRIES)) {
            if pairs.both.len() == samples {
                break;
            }
            let slope = cost.slope(gradient.id, element);
            match gradient.values.get(element).zip(slope) {
                Some((value, slope)) => {
                    pairs.both.push([*value, slope]);
                    task.advance(1);
                }
                None => pairs.skipped += 1,
            }
        }
        pairs
    }
}

/// The relative difference of pairs; 0 if both gradients are within the rounding error of 0.
pub fn difference(pairs: &[[f64; 2]], rounding: f64) -> f64 {
    let both = norm(pairs, |pair| pair[0]) + norm(pairs, |pair| pair[1]);
    if both <= rounding * (pairs.len() as f64).sqrt() {
        0.0
    } else {
        norm(pairs, |pair| pair[0] - pair[1]) / both
    }
}

fn norm(pairs: &[[f64; 2]], value: impl Fn(&[f64; 2]) -> f64) -> f64 {
    pairs.iter().map(|pair| value(pair).powi(2)).sum::<f64>().sqrt()
}
