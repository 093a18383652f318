//! Gradients of the backward pass.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::batch::Batch;
use crate::model::Classifier;

/// The gradient of one parameter tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Path of the tensor in the model, for example `hidden.0.linear.weight`.
    pub name: String,
    /// Id of the tensor.
    pub id: ParamId,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// The gradient, row-major.
    pub values: Vec<f64>,
}

/// The gradients of all trained tensors, in the order of the model. The normaliser and running
/// statistics are not trained.
pub fn gradients(classifier: &Classifier, batch: &Batch) -> Vec<Gradient> {
    let (loss, _) = classifier.loss(batch);
    let gradients = GradientsParams::from_grads(loss.backward(), classifier);
    let mut collect = Collect { gradients, path: Vec::new(), all: Vec::new() };
    classifier.visit(&mut collect);
    collect.all
}

impl Gradient {
    /// The Euclidean norm.
    pub fn norm(&self) -> f64 {
        self.values.iter().map(|value| value * value).sum::<f64>().sqrt()
    }
}

struct Collect {
    gradients: GradientsParams,
    path: Vec<String>,
    all: Vec<Gradient>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

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
        self.all.push(Gradient { name: name(&self.path), id: param.id, shape, values });
    }
}

/// The path below `model` and its variant, which are the same for all tensors.
fn name(path: &[String]) -> String {
    path.get(2..).unwrap_or_default().join(".")
}
