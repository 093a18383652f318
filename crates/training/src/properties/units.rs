//! Units of a layer with equal initial weights stay equal.

use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor, TensorData};
use models::{Activation, Initializer, MlpConfig, Model};
use rand::RngExt;

use super::{device, double, perceptron, random, rng, values, with_values};
use crate::model::Head;
use crate::optim::{OptimizerConfig, SgdConfig};

const INPUTS: usize = 5;
const UNITS: usize = 4;
const EXAMPLES: usize = 32;

fn model(activation: Activation, initializer: Initializer, seed: u64) -> Model {
    let hidden = vec![UNITS, 3];
    let config = MlpConfig { hidden, activation, initializer, ..MlpConfig::default() };
    perceptron(config, INPUTS, 1, seed)
}

/// `model` after 50 steps on random examples.
fn trained(mut model: Model, seed: u64) -> Model {
    let config = SgdConfig { learning_rate: 0.5, ..SgdConfig::default() };
    let mut optimizer = OptimizerConfig::Sgd(config).init();
    let mut rng = rng(seed);
    let inputs = double(random([EXAMPLES, 1, 1, INPUTS], &mut rng));
    let labels: Vec<i32> = (0..EXAMPLES).map(|_| rng.random_range(0..2)).collect();
    let labels = TensorData::new(labels, [EXAMPLES]);
    let labels = Tensor::<1, Int>::from_data(labels, &device());
    for _ in 0..50 {
        let loss = Head::Sigmoid.loss(model.forward(inputs.clone(), None), labels.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(0.5, model, gradients);
    }
    model
}

/// The weights into each unit of the first layer: the columns of `[INPUTS, UNITS]`.
fn units(model: &Model) -> Vec<Vec<f64>> {
    let weights = &values(model)[0];
    let column = |unit| weights.iter().copied().skip(unit).step_by(UNITS).collect();
    (0..UNITS).map(column).collect()
}

/// All tested activations and seeds.
fn cases() -> impl Iterator<Item = (Activation, u64)> {
    let activations = [Activation::Tanh, Activation::Relu];
    activations.into_iter().flat_map(|activation| (0..5).map(move |seed| (activation, seed)))
}

#[test]
fn units_initialized_with_zeros_stay_equal() {
    for (activation, seed) in cases() {
        let trained = trained(model(activation, Initializer::Zeros, seed), seed);
        let units = units(&trained);
        assert!(units.iter().all(|unit| *unit == units[0]), "{activation:?} {units:?}");
        let output_bias = *values(&trained).last().unwrap().last().unwrap();
        assert!(output_bias != 0.0, "{activation:?}: nothing was trained");
    }
}

#[test]
fn units_initialized_equally_learn_but_stay_equal() {
    for (activation, seed) in cases() {
        let model = model(activation, Initializer::Zeros, seed);
        let halves = values(&model).iter().map(|values| vec![0.5; values.len()]).collect();
        let units = units(&trained(with_values(model, halves), seed));
        assert!(units.iter().all(|unit| *unit == units[0]), "{activation:?} {units:?}");
        let learned = units[0].iter().any(|weight| (weight - 0.5).abs() > 1e-3);
        assert!(learned, "{activation:?} {units:?}");
    }
}

#[test]
fn randomly_initialized_units_stay_different() {
    for (activation, seed) in cases() {
        let units = units(&trained(model(activation, Initializer::HeNormal, seed), seed));
        for (index, unit) in units.iter().enumerate() {
            assert!(!units[..index].contains(unit), "{activation:?} {units:?}");
        }
    }
}
