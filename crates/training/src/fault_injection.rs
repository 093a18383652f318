//! Faults injected into a run, to test that the run survives them.
//!
//! Only tests and the Cargo feature `fault-injection` can inject one.

#![cfg_attr(
    not(any(test, feature = "fault-injection")),
    allow(dead_code, reason = "nothing injects a fault")
)]

use std::collections::BTreeMap;
use std::panic::resume_unwind;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// A fault in a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// No fault.
    #[default]
    None,
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
    pub(crate) fn take(&mut self, step: usize) -> Fault {
        self.0.remove(&step).unwrap_or_default()
    }

    /// The fault of a later `step`, for batches that are collated ahead.
    pub(crate) fn peek(&self, step: usize) -> Fault {
        self.0.get(&step).copied().unwrap_or_default()
    }
}

/// What a fault does at each point of a step.
impl Fault {
    pub(crate) fn before_collating(self) -> Result<(), String> {
        match self {
            Self::Source => Err("fault injected into the source".to_owned()),
            Self::Loader => resume_unwind(Box::new("fault injected into the loader")),
            _ => Ok(()),
        }
    }

    pub(crate) fn before_forward(self) {
        if self == Self::Device {
            resume_unwind(Box::new("fault injected into the device"));
        }
    }

    pub(crate) fn in_inputs(self, inputs: Tensor<4>) -> Tensor<4> {
        if let Self::Input(value) = self { with_first(inputs, value) } else { inputs }
    }

    pub(crate) fn in_loss(self, loss_sum: f64) -> f64 {
        if let Self::Loss(value) = self { value } else { loss_sum }
    }

    pub(crate) fn in_gradients(self, module: &impl Module, gradients: &mut GradientsParams) {
        if let Self::Gradient(value) = self {
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
