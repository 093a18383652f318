//! Gradients from values of the cost.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use crate::batch::Batch;
use crate::model::Classifier;

/// Steps by which a parameter is moved. The first has the least rounding error; the others serve
/// where a kink is closer or the curvature is larger.
const STEPS: [f64; 3] = [1e-4, 1e-5, 1e-6];

/// Largest relative change of a slope between a step and its half.
const RELATIVE: f64 = 1e-8;

/// The cost of one batch as a function of the parameters.
pub struct Cost<'a> {
    classifier: Classifier,
    batch: &'a Batch,
    value: f64,
}

impl<'a> Cost<'a> {
    /// The cost of `batch` around the parameters of `classifier`.
    pub fn new(classifier: &Classifier, batch: &'a Batch) -> Self {
        // Without gradients nothing is recorded; batch norm stays in training mode.
        let classifier = classifier.clone().no_grad();
        let value = cost(&classifier, batch);
        Self { classifier, batch, value }
    }

    /// The cost of the unmoved parameters.
    pub fn value(&self) -> f64 {
        self.value
    }

    pub fn examples(&self) -> usize {
        self.batch.step_examples
    }

    /// Rounding error of a derivative of 0.
    pub fn rounding(&self) -> f64 {
        self.rounding_of(STEPS[0])
    }

    /// The derivative by one element of the tensor `id`; `None` if the cost has a kink there.
    pub fn slope(&self, id: ParamId, element: usize) -> Option<f64> {
        let slope = |&step| {
            let [whole, half] = [step, step / 2.0].map(|step| self.quotients(id, element, step));
            let tolerance = self.rounding_of(step) + RELATIVE * half.centred().abs();
            whole.is_smooth(half, tolerance).then(|| extrapolated(whole, half))
        };
        STEPS.iter().find_map(slope)
    }

    fn quotients(&self, id: ParamId, element: usize, step: f64) -> Quotients {
        let moved = |by| {
            let moved = self.classifier.clone().map(&mut Move { id, element, by });
            cost(&moved, self.batch) - self.value
        };
        Quotients { right: moved(step) / step, left: moved(-step) / -step }
    }

    /// The rounding of a difference quotient. The cost is a sum of many numbers, some of them
    /// about 1 even where it is near 0.
    fn rounding_of(&self, step: f64) -> f64 {
        20.0 * f64::EPSILON * (self.value.abs() + 1.0) / step
    }
}

/// Difference quotients to both sides.
#[derive(Debug, Clone, Copy)]
struct Quotients {
    right: f64,
    left: f64,
}

impl Quotients {
    /// `(J(p + e) - J(p - e)) / 2e`
    fn centred(self) -> f64 {
        (self.right + self.left) / 2.0
    }

    /// The step times the second derivative, if there is one.
    fn curvature(self) -> f64 {
        self.right - self.left
    }

    /// Returns true if the cost is smooth within the step: with `half` the step, the centred
    /// quotient is equal and the curvature is halved. A kink off the centre changes the former, a
    /// kink at the centre the latter.
    fn is_smooth(self, half: Self, tolerance: f64) -> bool {
        (self.centred() - half.centred()).abs() <= tolerance
            && (self.curvature() - 2.0 * half.curvature()).abs() <= tolerance
    }
}

/// The derivative up to the fourth power of the step (Richardson 1911).
fn extrapolated(whole: Quotients, half: Quotients) -> f64 {
    (4.0 * half.centred() - whole.centred()) / 3.0
}

fn cost(classifier: &Classifier, batch: &Batch) -> f64 {
    classifier.loss(batch).0.into_scalar()
}

/// Adds `by` to one element of one tensor.
struct Move {
    id: ParamId,
    element: usize,
    by: f64,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id != self.id {
            return param;
        }
        let range = self.element..self.element + 1;
        param.map(|tensor| {
            let shape = tensor.dims();
            let values: Tensor<1> = tensor.flatten(0, D - 1);
            let moved = values.clone().slice(range.clone()) + self.by;
            values.slice_assign(range, moved).reshape(shape)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quotients of `f` at 0 by a step and its half.
    fn quotients(f: impl Fn(f64) -> f64, step: f64) -> [Quotients; 2] {
        [step, step / 2.0].map(|step| Quotients {
            right: (f(step) - f(0.0)) / step,
            left: (f(-step) - f(0.0)) / -step,
        })
    }

    #[test]
    fn a_kink_within_the_step_is_detected() {
        for tenths in -9..=9 {
            let kink = f64::from(tenths) / 10.0;
            let [whole, half] = quotients(|p| p.sin() + (p - kink * 1e-4).max(0.0), 1e-4);
            assert!(!whole.is_smooth(half, 1e-3), "{kink}");
        }
    }

    #[test]
    fn a_kink_outside_the_step_is_ignored() {
        for kink in [-1.01e-4, 1.01e-4] {
            let [whole, half] = quotients(|p| p.exp() + (p - kink).max(0.0), 1e-4);
            assert!(whole.is_smooth(half, 1e-8), "{kink}");
            let slope = if kink < 0.0 { 2.0 } else { 1.0 };
            assert!((extrapolated(whole, half) - slope).abs() < 1e-11, "{kink}");
        }
    }
}
