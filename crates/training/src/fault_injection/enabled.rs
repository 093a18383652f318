use std::collections::BTreeMap;
use std::panic::resume_unwind;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::FaultHooks;

/// A fault in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The first input has this value.
    Input(f32),
    /// The loss has this value.
    Loss(f64),
    /// The first value of the first gradient has this value.
    Gradient(f32),
    /// The data source fails.
    Source,
    /// The thread that collates batches panics.
    Loader,
    /// The device panics, like Burn's devices when they are lost or out of memory.
    Device,
}

/// The faults of a run by the number of the step, from 1. Each occurs once.
#[derive(Debug, Clone, Default)]
pub struct Faults(pub(crate) BTreeMap<usize, Fault>);

impl Faults {
    /// One fault in one step.
    pub fn one(step: usize, fault: Fault) -> Self {
        Self(BTreeMap::from([(step, fault)]))
    }

    /// Removes and returns the fault of `step`.
    pub(crate) fn take(&mut self, step: usize) -> Option<Fault> {
        self.0.remove(&step)
    }

    /// The fault of a later `step`, for batches that are collated ahead.
    pub(crate) fn peek(&self, step: usize) -> Option<Fault> {
        self.0.get(&step).copied()
    }
}

impl FaultHooks for Option<Fault> {
    fn before_collating(self) -> Result<(), String> {
        match self {
            Some(Fault::Source) => Err("fault injected into the source".to_owned()),
            Some(Fault::Loader) => resume_unwind(Box::new("fault injected into the loader")),
            _ => Ok(()),
        }
    }

    fn before_forward(self) {
        if self == Some(Fault::Device) {
            resume_unwind(Box::new("fault injected into the device"));
        }
    }

    fn in_inputs(self, inputs: Tensor<4>) -> Tensor<4> {
        match self {
            Some(Fault::Input(value)) => with_first(inputs, value),
            _ => inputs,
        }
    }

    fn in_loss(self, loss_sum: f64) -> f64 {
        match self {
            Some(Fault::Loss(value)) => value,
            _ => loss_sum,
        }
    }

    fn in_gradients(self, module: &impl Module, gradients: &mut GradientsParams) {
        if let Some(Fault::Gradient(value)) = self {
            module.visit(&mut FirstGradient { gradients, value: Some(value) });
        }
    }
}

/// Replaces the first value of the first gradient that it visits.
struct FirstGradient<'a> {
    gradients: &'a mut GradientsParams,
    value: Option<f32>,
}

impl ModuleVisitor for FirstGradient<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
        if let Some(value) = self.value.take() {
            self.gradients.remove::<D>(param.id);
            self.gradients.register(param.id, with_first(gradient, value));
        }
    }
}

fn with_first<const D: usize>(tensor: Tensor<D>, value: f32) -> Tensor<D> {
    tensor.slice_fill([const { 0..1 }; D], value)
}
