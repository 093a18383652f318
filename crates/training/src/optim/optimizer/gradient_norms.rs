use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Tensor;

/// Norms of the gradients of a step, `[1]` each, in the order of the parameters; finite only if the
/// gradients are.
///
/// An optimizer that reads the gradients anyway computes them at no extra cost. All clones share the
/// norms.
#[derive(Debug, Clone, Default)]
pub struct GradientNorms(Arc<Mutex<Vec<Tensor<1>>>>);

impl GradientNorms {
    /// Adds the norm of one gradient.
    pub fn add(&self, norm: Tensor<1>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(norm);
    }

    /// Returns the norms and removes them for the next step.
    pub fn take(&self) -> Vec<Tensor<1>> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
