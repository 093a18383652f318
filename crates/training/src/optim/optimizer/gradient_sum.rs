use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Tensor;

/// What all gradients of a step add up to, `[1]`, which is finite only if each of them is. An optimiser
/// that reads them anyway sums them up on its way, and shares the sum with whoever has a clone.
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

    /// The sum of a step, if the optimiser made one; the next begins anew.
    pub fn take(&self) -> Option<Tensor<1>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
