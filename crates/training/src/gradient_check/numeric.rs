//! Gradients from nothing but values of the cost.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use crate::classifier::{Batch, Classifier};

/// How far a parameter is moved. The first step has the least rounding; the others are for where
/// a kink is nearer, or the cost is bent more.
const STEPS: [f64; 3] = [1e-4, 1e-5, 1e-6];

/// How much of itself a slope may change between a step and its half.
const RELATIVE: f64 = 1e-8;

/// What is minimised over one batch, as a function of the parameters.
pub struct Cost<'a> {
    classifier: Classifier,
    batch: &'a Batch,
    value: f64,
}

impl<'a> Cost<'a> {
    /// The cost of `batch` around the parameters of `classifier`.
    pub fn new(classifier: &Classifier, batch: &'a Batch) -> Self {
        // Nothing is recorded for a backward pass that never comes; batch norm stays in training.
        let classifier = classifier.clone().no_grad();
        let value = cost(&classifier, batch);
        Self { classifier, batch, value }
    }

    /// The cost where nothing is moved.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The number of examples.
    pub fn examples(&self) -> usize {
        self.batch.step_examples
    }

    /// What rounding may leave of a derivative of 0.
    pub fn rounding(&self) -> f64 {
        self.rounding_of(STEPS[0])
    }

    /// The derivative by one element of the tensor `id`; none if the cost has a kink there.
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

    /// The step times the second derivative, where there is one.
    fn bend(self) -> f64 {
        self.right - self.left
    }

    /// Whether the cost is smooth within the step. With `half` the step, the centred quotient
    /// stays and the bend is halved; a kink away from the middle changes the one, a kink in the
    /// middle the other.
    fn is_smooth(self, half: Self, tolerance: f64) -> bool {
        (self.centred() - half.centred()).abs() <= tolerance
            && (self.bend() - 2.0 * half.bend()).abs() <= tolerance
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
    fn a_kink_anywhere_within_the_step_is_seen() {
        for tenths in -9..=9 {
            let kink = f64::from(tenths) / 10.0;
            let [whole, half] = quotients(|p| p.sin() + (p - kink * 1e-4).max(0.0), 1e-4);
            assert!(!whole.is_smooth(half, 1e-3), "{kink}");
        }
    }

    #[test]
    fn a_kink_outside_of_the_step_is_not() {
        for kink in [-1.01e-4, 1.01e-4] {
            let [whole, half] = quotients(|p| p.exp() + (p - kink).max(0.0), 1e-4);
            assert!(whole.is_smooth(half, 1e-8), "{kink}");
            let slope = if kink < 0.0 { 2.0 } else { 1.0 };
            assert!((extrapolated(whole, half) - slope).abs() < 1e-11, "{kink}");
        }
    }
}
