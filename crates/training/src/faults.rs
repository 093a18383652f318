//! Faults planted in a run on purpose, to see that it survives them.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// What goes wrong in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The first number of the inputs.
    Input(f32),
    /// The loss.
    Loss(f64),
    /// The first number of the first gradient.
    Gradient(f32),
    /// The source of the examples fails.
    Source,
    /// What gathers the examples panics.
    Loader,
    /// The device panics, as Burn's do when they are lost or out of memory.
    Device,
}

/// The faults of a run: by the step in which they occur, from 1, each once.
#[derive(Debug, Clone, Default)]
pub struct Faults(pub(crate) BTreeMap<usize, Fault>);

impl Faults {
    /// One fault in one step.
    pub fn one(step: usize, fault: Fault) -> Self {
        Self(BTreeMap::from([(step, fault)]))
    }

    /// The fault of `step`, which will not occur again.
    pub(crate) fn take(&mut self, step: usize) -> Option<Fault> {
        self.0.remove(&step)
    }

    /// What will go wrong with the batches of `step` before it comes to it.
    pub(crate) fn of_loader(&self, step: usize) -> Option<Fault> {
        self.0.get(&step).copied()
    }
}

/// Puts `value` in place of the first gradient's first number.
pub(crate) fn plant(module: &impl Module, gradients: &mut GradientsParams, value: f32) {
    struct Planter<'a> {
        gradients: &'a mut GradientsParams,
        value: Option<f32>,
    }
    impl ModuleVisitor for Planter<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
            if let Some(value) = self.value.take() {
                self.gradients.remove::<D>(param.id);
                self.gradients.register(param.id, with_first(gradient, value));
            }
        }
    }
    module.visit(&mut Planter { gradients, value: Some(value) });
}

/// The same tensor with another first number.
pub(crate) fn with_first<const D: usize>(tensor: Tensor<D>, value: f32) -> Tensor<D> {
    let first = [const { 0..1 }; D];
    tensor.slice_fill(first, value)
}
