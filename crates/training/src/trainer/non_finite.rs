//! Detects numbers that are not finite by one sum, and finds the tensor they are in.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// A number that is not finite, and the tensor it comes from.
#[derive(Debug)]
pub struct NonFinite {
    /// The checked quantity with its verb, for example `loss is`.
    pub quantity: &'static str,
    /// Its value.
    pub value: f64,
    /// The first tensor that is not finite.
    pub tensor: String,
}

/// When the gradients of a step are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradientCheck {
    /// Before the update, by a pass of its own.
    BeforeUpdate,
    /// With the update, by the sum that the optimizer computes anyway.
    ByOptimizer,
    /// When the step is read back from the device.
    Deferred,
}

/// Sums of the gradients of a module, on the device.
pub struct GradientSums {
    /// Shape `[paths.len()]`; a sum is finite only if its gradient is.
    pub values: Tensor<1>,
    /// Paths of the tensors.
    pub paths: Vec<String>,
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

    /// The error of a gradient whose sum is not finite.
    pub fn gradient(path: &str, sum: f64) -> Self {
        let tensor = format!("the gradient of `{path}`");
        Self { quantity: "sum of the gradients is", value: sum, tensor }
    }
}

impl GradientSums {
    /// The sums of all gradients of `module`.
    pub fn of(module: &impl Module, gradients: &GradientsParams) -> Self {
        let mut visitor =
            SumVisitor { gradients, path: Vec::new(), sums: Vec::new(), paths: Vec::new() };
        module.visit(&mut visitor);
        Self { values: Tensor::cat(visitor.sums, 0), paths: visitor.paths }
    }

    /// The first of the sums, read back as `values`, that is not finite, with its path.
    pub fn first_non_finite(&self, values: TensorData) -> Option<(&str, f64)> {
        let values = values.convert::<f64>();
        let mut named = self.paths.iter().map(String::as_str).zip(values.iter::<f64>());
        named.find(|(_, sum)| !sum.is_finite())
    }
}

struct SumVisitor<'a> {
    gradients: &'a GradientsParams,
    path: Vec<String>,
    sums: Vec<Tensor<1>>,
    paths: Vec<String>,
}

impl ModuleVisitor for SumVisitor<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
        self.sums.push(gradient.sum());
        self.paths.push(self.path.join("."));
    }
}

/// The path of the first parameter of `module` that is not finite.
pub fn non_finite_parameter(module: &impl Module) -> Option<String> {
    let mut search = ParameterSearch { path: Vec::new(), found: None };
    module.visit(&mut search);
    search.found
}

/// Returns true if every number of a tensor is finite.
pub fn is_finite<const D: usize>(tensor: Tensor<D>) -> bool {
    tensor.without_autodiff().abs().sum().into_scalar::<f64>().is_finite()
}

struct ParameterSearch {
    path: Vec<String>,
    found: Option<String>,
}

impl ModuleVisitor for ParameterSearch {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.found.is_none() && !is_finite(param.val()) {
            self.found = Some(self.path.join("."));
        }
    }
}
