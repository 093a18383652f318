//! Tests of mathematical properties from the quizzes of the courses that span several modules.

mod backends;
mod batches;
mod heads;
mod units;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Tensor, TensorCreationOptions, TensorData};
use models::{MlpConfig, Model, ModelConfig, NormPosition, ParameterInit};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// A parameter with its gradient, if it has one, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
    pub gradient: Option<Vec<f64>>,
}

impl Parameter {
    pub fn is_weight(&self) -> bool {
        self.shape.len() > 1
    }
}

/// The device of the tests, with autodiff.
pub fn device() -> Device {
    Device::default().autodiff()
}

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Uniform random numbers in `-1..1`.
pub fn random<const D: usize>(shape: [usize; D], rng: &mut ChaCha8Rng) -> TensorData {
    let count = shape.iter().product();
    TensorData::new((0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>(), shape)
}

/// `data` in f64 on [`device`].
pub fn double<const D: usize>(data: TensorData) -> Tensor<D> {
    Tensor::from_data(data, options())
}

fn options() -> TensorCreationOptions {
    TensorCreationOptions::new(device()).with_dtype(FloatDType::F64.into())
}

/// A perceptron without batch norm in f64, from `inputs` to `outputs`.
pub fn perceptron(config: MlpConfig, inputs: usize, outputs: usize, seed: u64) -> Model {
    let config = MlpConfig { batch_norm: NormPosition::None, ..config };
    let parameters = ParameterInit::new(seed, &device()).with_precision(FloatDType::F64);
    ModelConfig::Mlp(config).init([1, 1, inputs], outputs, parameters).unwrap()
}

/// Every parameter of `module`, in its order, with its gradient.
pub fn parameters(module: &impl Module, gradients: &GradientsParams) -> Vec<Parameter> {
    struct Visitor<'a>(Vec<Parameter>, &'a GradientsParams);
    impl ModuleVisitor for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = self.1.get::<D>(param.id);
            self.0.push(Parameter {
                shape: param.val().dims().to_vec(),
                values: host(param.val()),
                gradient: gradient.map(host),
            });
        }
    }
    let mut visitor = Visitor(Vec::new(), gradients);
    module.visit(&mut visitor);
    visitor.0
}

/// The values of every parameter of `module`, in its order.
pub fn values(module: &impl Module) -> Vec<Vec<f64>> {
    let parameters = parameters(module, &GradientsParams::new());
    parameters.into_iter().map(|parameter| parameter.values).collect()
}

/// `module` with other values of its parameters, in its order.
pub fn with_values<M: Module>(module: M, values: Vec<Vec<f64>>) -> M {
    struct Mapper(std::vec::IntoIter<Vec<f64>>);
    impl ModuleMapper for Mapper {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let data = TensorData::new(self.0.next().unwrap(), param.val().dims());
            let options = (&param.val().device(), param.val().dtype());
            let values = Tensor::from_data(data, options).require_grad();
            Param::initialized(param.id, values)
        }
    }
    module.map(&mut Mapper(values.into_iter()))
}

/// The elements of a tensor, row-major.
pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Fails unless both have the same length and all elements differ by at most `tolerance`.
pub fn assert_close(one: &[f64], other: &[f64], tolerance: f64) {
    assert_eq!(one.len(), other.len());
    let is_close = one.iter().zip(other).all(|(one, other)| (one - other).abs() <= tolerance);
    assert!(is_close, "{one:?}\n{other:?}");
}
