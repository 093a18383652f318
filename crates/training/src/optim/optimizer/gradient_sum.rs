use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Tensor;

/// Sum of all gradients of a step, `[1]`, which is finite only if each of them is.
///
/// An optimizer that reads the gradients anyway computes it at no extra cost. All clones share one
/// sum.
#[derive(Debug, Clone, Default)]
pub struct GradientSum(Arc<Mutex<Option<Tensor<1>>>>);

impl GradientSum {
    /// Adds the sum of one gradient.
    pub fn add(&self, sum: Tensor<1>) {
        let mut total = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *total = Some(match total.take() {
            Some(total) => total + sum,
            None => sum,
        });
    }

    /// Returns the sum, if there is one, and resets it for the next step.
    pub fn take(&self) -> Option<Tensor<1>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
