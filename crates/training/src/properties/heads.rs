//! A softmax over two classes is equivalent to logistic regression.

use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor, TensorData};
use models::{MlpConfig, Model};
use rand::RngExt;

use super::{
    Parameter, assert_close, device, double, host, parameters, perceptron, random, rng, values,
    with_values,
};
use crate::model::Head;

const INPUTS: usize = 6;

/// A softmax with two logits, and a sigmoid whose weights are the differences of its weights.
fn equal_models(seed: u64) -> (Model, Model) {
    let regression = |outputs| {
        perceptron(MlpConfig { hidden: vec![], ..MlpConfig::default() }, INPUTS, outputs, seed)
    };
    let softmax = regression(2);
    let random = |values: &Vec<f64>| {
        let data = random([values.len()], &mut rng(seed + values.len() as u64));
        data.iter::<f64>().collect()
    };
    let weights: Vec<Vec<f64>> = values(&softmax).iter().map(random).collect();
    let sigmoid =
        with_values(regression(1), weights.iter().map(|pairs| differences(pairs)).collect());
    (with_values(softmax, weights), sigmoid)
}

/// Second minus first value of each pair of a row-major `[.., 2]`.
fn differences(pairs: &[f64]) -> Vec<f64> {
    pairs.chunks_exact(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Inputs `[count, 1, 1, INPUTS]` and labels `[count]`.
fn examples(count: usize, seed: u64) -> (Tensor<4>, Tensor<1, Int>) {
    let mut rng = rng(seed);
    let inputs = double(random([count, 1, 1, INPUTS], &mut rng));
    let labels: Vec<i32> = (0..count).map(|_| rng.random_range(0..2)).collect();
    (inputs, Tensor::from_data(TensorData::new(labels, [count]), &device()))
}

/// Log-probabilities, loss, and parameters with their gradients.
fn outcome(head: Head, model: &Model, seed: u64) -> (Vec<f64>, f64, Vec<Parameter>) {
    let (inputs, labels) = examples(17, seed);
    let logits = model.forward(inputs, None);
    let loss = head.loss(logits.clone(), labels);
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    (host(head.log_probabilities(logits)), host(loss)[0], parameters(model, &gradients))
}

#[test]
fn a_softmax_of_two_classes_is_the_sigmoid_of_the_difference() {
    for seed in 0..10 {
        let (softmax, sigmoid) = equal_models(seed);
        let (two, two_loss, _) = outcome(Head::Softmax, &softmax, seed);
        let (one, one_loss, _) = outcome(Head::Sigmoid, &sigmoid, seed);
        assert_close(&two, &one, 1e-12);
        assert_close(&[two_loss], &[one_loss], 1e-12);
    }
}

#[test]
fn the_gradients_of_a_softmax_of_two_classes_are_plus_and_minus_that_of_the_sigmoid() {
    for seed in 0..10 {
        let (softmax, sigmoid) = equal_models(seed);
        let (.., two) = outcome(Head::Softmax, &softmax, seed);
        let (.., one) = outcome(Head::Sigmoid, &sigmoid, seed);
        for (two, one) in two.into_iter().zip(one) {
            let pair = |derivative: &f64| [-derivative, *derivative];
            let expected: Vec<f64> = one.gradient.unwrap().iter().flat_map(pair).collect();
            assert!(expected.iter().any(|derivative| derivative.abs() > 1e-3));
            assert_close(&two.gradient.unwrap(), &expected, 1e-12);
        }
    }
}
