//! Gradient clipping.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Gradient clipping: `[training.gradient_clipping]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GradientClipping {
    /// Clamps each element to `-value..=value`.
    Value(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    /// Scales all gradients together so that their Euclidean norm is at most this value (Pascanu et
    /// al. 2013, arXiv:1211.5063).
    Norm(#[schemars(extend("exclusiveMinimum" = 0))] f64),
}

impl GradientClipping {
    /// Clips the gradients of `module`.
    pub fn apply(self, module: &impl Module, gradients: GradientsParams) -> GradientsParams {
        match self {
            Self::Value(limit) => map(module, gradients, Change::Clamp(limit)),
            Self::Norm(limit) => match norm(module, &gradients) {
                Some(norm) => {
                    // PyTorch adds the same number to avoid division by zero.
                    let factor = (norm.add_scalar(1e-6).recip() * limit).clamp_max(1.0);
                    map(module, gradients, Change::Scale(Box::new(factor)))
                }
                None => gradients,
            },
        }
    }
}

/// The Euclidean norm `[1]` of all gradients together.
fn norm(module: &impl Module, gradients: &GradientsParams) -> Option<Tensor<1>> {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sum: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
            let squares = gradient.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + squares,
                None => squares,
            });
        }
    }
    let mut squares = Squares { gradients, sum: None };
    module.visit(&mut squares);
    squares.sum.map(Tensor::sqrt)
}

enum Change {
    Clamp(f64),
    Scale(Box<Tensor<1>>),
}

fn map(module: &impl Module, gradients: GradientsParams, change: Change) -> GradientsParams {
    struct Mapper {
        change: Change,
        gradients: GradientsParams,
    }
    impl ModuleVisitor for Mapper {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(gradient) = self.gradients.remove::<D>(param.id) else { return };
            let gradient = match &self.change {
                Change::Clamp(limit) => gradient.clamp(-limit, *limit),
                Change::Scale(factor) => gradient * factor.as_ref().clone().unsqueeze(),
            };
            self.gradients.register(param.id, gradient);
        }
    }
    let mut mapper = Mapper { change, gradients };
    module.visit(&mut mapper);
    mapper.gradients
}

#[cfg(test)]
mod tests;
