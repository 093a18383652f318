//! Detects numbers that are not finite by one norm or sum, and finds the tensor they are in.

use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// A number that is not finite, and the tensor it comes from.
#[derive(Debug)]
pub struct NonFinite {
    /// The checked quantity with its verb, for example `loss is`.
    pub quantity: &'static str,
    pub value: f64,
    /// The first tensor that is not finite.
    pub tensor: String,
}

/// Norms of the gradients of a step, on the device.
pub struct MeasuredGradients {
    /// Shape `[paths.len()]`; a norm is finite only if its gradient is.
    pub norms: Tensor<1>,
    pub paths: Arc<[String]>,
}

impl NonFinite {
    /// Fails with the tensor that `find_tensor` returns unless `value` is finite.
    pub fn check(
        quantity: &'static str,
        value: f64,
        find_tensor: impl FnOnce() -> String,
    ) -> Result<(), Self> {
        if value.is_finite() {
            Ok(())
        } else {
            Err(Self { quantity, value, tensor: find_tensor() })
        }
    }
}

impl MeasuredGradients {
    /// The norm of the whole gradient from `norms`, read back. Fails with the first that is not finite.
    pub fn norm(&self, norms: TensorData) -> Result<f64, NonFinite> {
        let norms: Vec<f64> = norms.iter().collect();
        let mut named = norms.iter().zip(self.paths.iter());
        if let Some((&value, path)) = named.find(|(norm, _)| !norm.is_finite()) {
            let tensor = format!("the gradient of `{path}`");
            return Err(NonFinite { quantity: "norm of the gradient is", value, tensor });
        }
        Ok(norms.iter().map(|norm| norm * norm).sum::<f64>().sqrt())
    }
}

pub fn norms(module: &impl Module, gradients: &GradientsParams) -> Vec<Tensor<1>> {
    struct Norms<'a>(&'a GradientsParams, Vec<Tensor<1>>);
    impl ModuleVisitor for Norms<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(self.0.get::<D>(param.id).map(kernels::norm));
        }
    }
    let mut norms = Norms(gradients, Vec::new());
    module.visit(&mut norms);
    norms.1
}

/// The paths of the parameters of `module` that have gradients.
pub fn gradient_paths(module: &impl Module, gradients: &GradientsParams) -> Vec<String> {
    let mut search =
        ParameterSearch { gradients: Some(gradients), path: Vec::new(), found: Vec::new() };
    module.visit(&mut search);
    search.found
}

/// The path of the first parameter of `module` that is not finite.
pub fn non_finite_parameter(module: &impl Module) -> Option<String> {
    let mut search = ParameterSearch { gradients: None, path: Vec::new(), found: Vec::new() };
    module.visit(&mut search);
    search.found.into_iter().next()
}

pub fn is_finite<const D: usize>(tensor: Tensor<D>) -> bool {
    tensor.without_autodiff().abs().sum().into_scalar::<f64>().is_finite()
}

/// Finds the parameters that have gradients, or without `gradients` those that are not finite.
struct ParameterSearch<'a> {
    gradients: Option<&'a GradientsParams>,
    path: Vec<String>,
    found: Vec<String>,
}

impl ModuleVisitor for ParameterSearch<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let is_found = match self.gradients {
            Some(gradients) => gradients.get::<D>(param.id).is_some(),
            None => self.found.is_empty() && !is_finite(param.val()),
        };
        if is_found {
            self.found.push(self.path.join("."));
        }
    }
}
