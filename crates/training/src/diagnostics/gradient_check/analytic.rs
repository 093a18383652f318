//! Gradients of the backward pass.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::batch::Batch;
use crate::model::{Classifier, parameter_ids};

/// The gradient of one parameter tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Path of the tensor in the model, for example `hidden.0.linear.weight`.
    pub name: String,
    pub id: ParamId,
    pub shape: Vec<usize>,
    /// The gradient, row-major.
    pub values: Vec<f64>,
}

/// The gradients of all trained tensors, in the order of the model. The normaliser and running
/// statistics are not trained.
pub fn gradients(classifier: &Classifier, batch: &Batch) -> Vec<Gradient> {
    let (loss, _) = classifier.loss(batch);
    let gradients = GradientsParams::from_grads(loss.backward(), classifier);
    let names = parameter_ids(classifier).into_iter().map(|(path, id)| (id, path)).collect();
    let mut collect = Collect { gradients, names, all: Vec::new() };
    classifier.visit(&mut collect);
    collect.all
}

impl Gradient {
    pub fn norm(&self) -> f64 {
        self.values.iter().map(|value| value * value).sum::<f64>().sqrt()
    }
}

struct Collect {
    gradients: GradientsParams,
    /// Paths of the parameters.
    names: HashMap<ParamId, String>,
    all: Vec<Gradient>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if !value.is_require_grad() {
            return;
        }
        let shape = value.dims().to_vec();
        let values = match self.gradients.remove::<D>(param.id) {
            Some(gradient) => gradient.into_data().convert::<f64>().iter::<f64>().collect(),
            // The loss does not depend on this tensor.
            None => vec![0.0; shape.iter().product()],
        };
        // Below `model` and its variant, which are the same for all tensors.
        let path = self.names.get(&param.id).map_or("", String::as_str);
        let name = path.splitn(3, '.').nth(2).unwrap_or_default().to_owned();
        self.all.push(Gradient { name, id: param.id, shape, values });
    }
}
