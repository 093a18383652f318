use super::*;
use burn::optim::GradientsParams;
use burn::tensor::{DType, TensorData};
use models::{MlpConfig, ModelConfig, NormPosition, ParameterInit};

use crate::optim::{OptimizerConfig, SgdConfig};
use crate::properties::{
    Parameter, assert_close, device, host, parameters, perceptron, values, with_values,
};

fn objective(l2: f64, l1: f64) -> Objective {
    ObjectiveConfig { l2, l1, ..ObjectiveConfig::default() }.init(2).unwrap()
}

/// A model with weights, biases, and batch norm's gamma and beta, none of them zero.
fn model_with_batch_norm() -> Model {
    let batch_norm = NormPosition::BeforeActivation;
    let config = MlpConfig { hidden: vec![4, 3], batch_norm, ..MlpConfig::default() };
    let model =
        ModelConfig::Mlp(config).init([1, 1, 5], 1, ParameterInit::new(1, &device())).unwrap();
    let other = |values: Vec<f64>| (0..values.len()).map(|k| 0.6 - 0.25 * (k % 5) as f64).collect();
    let others = values(&model).into_iter().map(other).collect();
    with_values(model, others)
}

/// The parameters of the model with the gradients of the penalty in a step of `examples` examples.
fn penalty_gradients(objective: Objective, model: &Model, examples: usize) -> Vec<Parameter> {
    let gradients = objective.penalty(model, examples).unwrap().backward();
    parameters(model, &GradientsParams::from_grads(gradients, model))
}

/// The loss of a batch of `logits` with `labels`.
fn loss(config: &str, logits: [&[f64]; 4], labels: [u32; 4], mix: Option<Mix>) -> f64 {
    let config: ObjectiveConfig = toml::from_str(config).unwrap();
    let classes = logits[0].len().max(2);
    let weights = config.class_weights.fit(&labels, classes);
    let objective = config.init(classes).unwrap().with_class_weights(weights);
    let targets = objective.targets(&labels, mix.as_ref()).unwrap();
    let tensor = |values: Vec<f64>, columns| {
        Tensor::<2>::from_data(TensorData::new(values, [4, columns]), (&device(), DType::F64))
    };
    let targets = tensor(targets.into_iter().map(f64::from).collect(), classes);
    let cost = objective.head.cost(tensor(logits.concat(), logits[0].len()), targets);
    host(cost)[0] / objective.weight(labels.into_iter())
}

const LOGITS: [&[f64]; 4] =
    [&[0.3, -1.2, 2.0], &[1.5, 0.1, -0.4], &[-2.0, 0.7, 0.6], &[0.0, 0.25, -0.5]];

#[test]
fn smoothed_weighted_and_mixed_losses_match_pytorch() {
    // torch.nn.functional.cross_entropy(logits, labels, weight, label_smoothing) in f64, alone and
    // as 0.7 of that plus 0.3 of the same for the others.
    let others = vec![0, 2, 1, 0];
    let weights = "class_weights = [0.5, 1.0, 2.5]";
    for (config, alone, mixed) in [
        ("", None, 1.2677299446372798),
        (weights, Some(0.7048948506616439), 1.0097566702703251),
        ("label_smoothing = 0.1", Some(1.2139799446372799), 1.29160494463728),
        (
            &format!("label_smoothing = 0.1\n{weights}"),
            Some(0.7966548405154534),
            1.0710304781632667,
        ),
    ] {
        let mix = Mix { share: 0.7, others: others.clone() };
        let close =
            |found: f64, known: f64| assert!((found - known).abs() < 1e-7, "{config}: {found}");
        close(loss(config, LOGITS, [2, 0, 0, 1], Some(mix)), mixed);
        if let Some(alone) = alone {
            close(loss(config, LOGITS, [2, 0, 0, 1], None), alone);
        }
    }
}

#[test]
fn a_sigmoid_is_smoothed_and_weighted_like_a_softmax_of_two_classes() {
    let logits: [&[f64]; 4] = [&[0.3], &[-1.2], &[2.0], &[0.7]];
    let labels = [0, 1, 1, 0];
    // binary_cross_entropy_with_logits with targets of 0.1 and 0.9, and cross_entropy of [0, z]
    // with weights 1 and 3.
    let smoothed = loss("label_smoothing = 0.2", logits, labels, None);
    assert!((smoothed - 0.8819379429337473).abs() < 1e-7, "{smoothed}");
    let config = "label_smoothing = 0.2\nclass_weights = [1.0, 3.0]";
    let weighted = loss(config, logits, labels, None);
    assert!((weighted - 0.8227048614364492).abs() < 1e-7, "{weighted}");
}

#[test]
fn a_plain_objective_has_no_soft_targets() {
    let objective = objective(0.1, 0.1);
    assert_eq!(objective.targets(&[0, 1], None), None);
    assert_eq!(objective.weight([0, 1, 1].into_iter()), 3.0);
}

#[test]
fn balanced_weights_give_every_class_the_same_total_weight() {
    let weights = ClassWeights::Balanced.fit(&[0, 0, 0, 1, 1, 1, 1, 1, 3, 3], 4).unwrap();
    assert_eq!(weights, [10.0 / 12.0, 0.5, 0.0, 1.25]);
    assert_eq!(ClassWeights::None.fit(&[0, 1], 2), None);
}

#[test]
fn class_weights_are_a_name_or_one_number_per_class() {
    for text in
        ["class_weights = \"none\"", "class_weights = \"balanced\"", "class_weights = [1.0, 2.0]"]
    {
        let config: ObjectiveConfig = toml::from_str(text).unwrap();
        assert!(toml::to_string(&config).unwrap().contains(text), "{text}");
    }
    let three: ObjectiveConfig = toml::from_str("class_weights = [1.0, 2.0, 3.0]").unwrap();
    let error = three.init(2).unwrap_err().to_string();
    assert!(error.contains("3 weights for 2 classes"), "{error}");
    let mut check = Check::default();
    ClassWeights::Given(vec![1.0; 1001]).check(&mut check);
    assert_eq!(check.into_problems()[0].message, "1001 weights; the maximum is 1000");
}

#[test]
fn penalties_follow_the_formula_of_the_courses() {
    // Weights 1, -2, .., -6 and biases of 100, which are not penalized.
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
fn the_l2_gradient_of_weights_is_lambda_over_m_and_of_others_zero() {
    for Parameter { shape, values, gradient } in
        penalty_gradients(objective(0.7, 0.0), &model_with_batch_norm(), 8)
    {
        if shape.len() == 1 {
            assert_eq!(gradient, None, "{shape:?}");
        } else {
            let expected: Vec<f64> = values.iter().map(|weight| 0.7 / 8.0 * weight).collect();
            assert_close(&gradient.unwrap(), &expected, 1e-7);
        }
    }
}

#[test]
fn the_l1_gradient_of_weights_is_lambda_over_two_m_times_their_sign() {
    for Parameter { shape, values, gradient } in
        penalty_gradients(objective(0.0, 0.7), &model_with_batch_norm(), 8)
    {
        if shape.len() == 1 {
            assert_eq!(gradient, None, "{shape:?}");
        } else {
            let expected = values.iter().map(|weight| 0.7 / 16.0 * weight.signum());
            assert_close(&gradient.unwrap(), &expected.collect::<Vec<_>>(), 1e-7);
        }
    }
}

#[test]
fn a_step_on_a_penalty_changes_every_weight_and_nothing_else() {
    for objective in [objective(0.7, 0.0), objective(0.0, 0.7)] {
        let model = model_with_batch_norm();
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
