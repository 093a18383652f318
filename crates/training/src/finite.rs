//! Numbers that are not finite: noticed by one sum, and named when there are any.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// The sum of each gradient of a module, on the device.
pub struct GradientSums {
    /// `[paths.len()]`, each of which is finite only if its gradient is.
    pub values: Tensor<1>,
    /// The paths of the tensors.
    pub paths: Vec<String>,
}

impl GradientSums {
    /// Those of all gradients of `module`.
    pub fn of(module: &impl Module, gradients: &GradientsParams) -> Self {
        struct Sums<'a> {
            gradients: &'a GradientsParams,
            path: Vec<String>,
            values: Vec<Tensor<1>>,
            paths: Vec<String>,
        }
        impl ModuleVisitor for Sums<'_> {
            fn enter_module(&mut self, name: &str, _container: &str) {
                self.path.push(name.to_owned());
            }

            fn exit_module(&mut self, _name: &str, _container: &str) {
                self.path.pop();
            }

            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
                self.values.push(gradient.sum());
                self.paths.push(self.path.join("."));
            }
        }
        let mut sums = Sums { gradients, path: Vec::new(), values: Vec::new(), paths: Vec::new() };
        module.visit(&mut sums);
        Self { values: Tensor::cat(sums.values, 0), paths: sums.paths }
    }

    /// The first of the sums, as they were read, that is not finite, and its path.
    pub fn first_bad(&self, values: TensorData) -> Option<(&str, f64)> {
        let values = values.convert::<f64>();
        let mut named = self.paths.iter().map(String::as_str).zip(values.iter::<f64>());
        named.find(|(_, sum)| !sum.is_finite())
    }
}

/// The path of the first tensor of `module` that is not finite itself.
pub fn bad_parameter(module: &impl Module) -> Option<String> {
    let mut search = Search { path: Vec::new(), found: None };
    module.visit(&mut search);
    search.found
}

/// Whether every number of a tensor is finite.
pub fn is_finite<const D: usize>(tensor: Tensor<D>) -> bool {
    tensor.without_autodiff().abs().sum().into_scalar::<f64>().is_finite()
}

struct Search {
    path: Vec<String>,
    found: Option<String>,
}

impl ModuleVisitor for Search {
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
