//! Numbers that are not finite: noticed by one sum, and named when there are any.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The sum of all gradients of `module`, which is finite only if each of them is.
pub fn gradient_sum(module: &impl Module, gradients: &GradientsParams) -> f64 {
    struct Sum<'a> {
        gradients: &'a GradientsParams,
        total: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Sum<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
            let sum = gradient.sum();
            self.total = Some(match self.total.take() {
                Some(total) => total + sum,
                None => sum,
            });
        }
    }
    let mut sum = Sum { gradients, total: None };
    module.visit(&mut sum);
    sum.total.map_or(0.0, |total| total.into_scalar())
}

/// The path of the first tensor of `module` whose gradient is not finite.
pub fn bad_gradient(module: &impl Module, gradients: &GradientsParams) -> Option<String> {
    Search::first(module, Some(gradients))
}

/// The path of the first tensor of `module` that is not finite itself.
pub fn bad_parameter(module: &impl Module) -> Option<String> {
    Search::first(module, None)
}

/// Whether every number of a tensor is finite.
pub fn is_finite<const D: usize>(tensor: Tensor<D>) -> bool {
    tensor.without_autodiff().abs().sum().into_scalar::<f64>().is_finite()
}

struct Search<'a> {
    gradients: Option<&'a GradientsParams>,
    path: Vec<String>,
    found: Option<String>,
}

impl<'a> Search<'a> {
    fn first(module: &impl Module, gradients: Option<&'a GradientsParams>) -> Option<String> {
        let mut search = Self { gradients, path: Vec::new(), found: None };
        module.visit(&mut search);
        search.found
    }
}

impl ModuleVisitor for Search<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            Some(gradients) => gradients.get::<D>(param.id),
            None => Some(param.val()),
        };
        if self.found.is_none() && tensor.is_some_and(|tensor| !is_finite(tensor)) {
            self.found = Some(self.path.join("."));
        }
    }
}
