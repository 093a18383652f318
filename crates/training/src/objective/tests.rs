use super::*;
use burn::optim::GradientsParams;
use models::{MlpConfig, ModelConfig, NormPosition, Parameters};

use crate::optimizer::{OptimizerConfig, SgdConfig};
use crate::properties::{
    Parameter, assert_close, device, host, parameters, perceptron, values, with_values,
};

fn objective(l2: f64, l1: f64) -> Objective {
    ObjectiveConfig { head: None, l2, l1 }.init(2).unwrap()
}

/// A model of weights, biases, and batch norm's gamma and beta, none of them zero.
fn normalised() -> Model {
    let batch_norm = NormPosition::BeforeActivation;
    let config = MlpConfig { hidden: vec![4, 3], batch_norm, ..MlpConfig::default() };
    let model = ModelConfig::Mlp(config).init([1, 1, 5], 1, Parameters::new(1, &device()));
    let other = |values: Vec<f64>| (0..values.len()).map(|k| 0.6 - 0.25 * (k % 5) as f64).collect();
    let others = values(&model).into_iter().map(other).collect();
    with_values(model, others)
}

/// The parameters of the model with the gradients of the penalty in a step of so many examples.
fn penalised(objective: Objective, model: &Model, examples: usize) -> Vec<Parameter> {
    let gradients = objective.penalty(model, examples).unwrap().backward();
    parameters(model, &GradientsParams::from_grads(gradients, model))
}

#[test]
fn penalties_are_those_of_the_courses_formula() {
    // Weights 1, -2, .., -6 and biases of 100, which do not count.
    let regression = MlpConfig { hidden: vec![], ..MlpConfig::default() };
    let weights = [1.0, -2.0, 3.0, -4.0, 5.0, -6.0].to_vec();
    let model = with_values(perceptron(regression, 3, 2, 1), vec![weights, vec![100.0; 2]]);
    let penalty = |l2, l1| host(objective(l2, l1).penalty(&model, 5).unwrap());
    // 0.1 / (2 * 5) * (1 + 4 + 9 + 16 + 25 + 36), and the same of 1 + 2 + 3 + 4 + 5 + 6.
    assert_close(&penalty(0.1, 0.0), &[0.91], 1e-12);
    assert_close(&penalty(0.0, 0.1), &[0.21], 1e-12);
    assert_close(&penalty(0.1, 0.1), &[1.12], 1e-12);
    assert!(objective(0.0, 0.0).penalty(&model, 5).is_none());
}

#[test]
fn l2_pulls_at_weights_alone_by_lambda_over_m() {
    for Parameter { shape, values, gradient } in penalised(objective(0.7, 0.0), &normalised(), 8) {
        match shape.len() {
            1 => assert_eq!(gradient, None, "{shape:?}"),
            _ => {
                let expected: Vec<f64> = values.iter().map(|weight| 0.7 / 8.0 * weight).collect();
                assert_close(&gradient.unwrap(), &expected, 1e-7);
            }
        }
    }
}

#[test]
fn l1_pulls_at_weights_alone_by_lambda_over_two_m_times_their_sign() {
    for Parameter { shape, values, gradient } in penalised(objective(0.0, 0.7), &normalised(), 8) {
        match shape.len() {
            1 => assert_eq!(gradient, None, "{shape:?}"),
            _ => {
                let expected = values.iter().map(|weight| 0.7 / 16.0 * weight.signum());
                assert_close(&gradient.unwrap(), &expected.collect::<Vec<_>>(), 1e-7);
            }
        }
    }
}

#[test]
fn a_step_of_a_penalty_changes_every_weight_and_nothing_else() {
    for objective in [objective(0.7, 0.0), objective(0.0, 0.7)] {
        let model = normalised();
        let gradients = objective.penalty(&model, 8).unwrap().backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        let mut optimizer = OptimizerConfig::Sgd(SgdConfig::default()).init();
        let before = parameters(&model, &GradientsParams::new());
        let after = values(&optimizer.step(0.5, model, gradients));
        assert_eq!(before.iter().filter(|parameter| parameter.is_weight()).count(), 3);
        for (before, after) in before.iter().zip(after) {
            let changed = before.values.iter().zip(&after).filter(|(one, other)| one != other);
            let expected = if before.is_weight() { after.len() } else { 0 };
            assert_eq!(changed.count(), expected, "{:?}", before.shape);
        }
    }
}
