use super::*;
use models::{MlpConfig, Model};

use crate::properties::{assert_close, double, parameters, perceptron, random, rng};

fn model() -> Model {
    perceptron(MlpConfig { hidden: vec![4], ..MlpConfig::default() }, 3, 2, 1)
}

/// Random gradients of every parameter of `model`, multiplied by `size`.
fn gradients(model: &Model, size: f64, seed: u64) -> GradientsParams {
    struct Visitor(GradientsParams, f64, u64);
    impl ModuleVisitor for Visitor {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = random(param.val().dims(), &mut rng(self.2 + param.id.val()));
            self.0.register(param.id, (double::<D>(data) * self.1).inner());
        }
    }
    let mut visitor = Visitor(GradientsParams::new(), size, seed);
    model.visit(&mut visitor);
    visitor.0
}

/// All gradients of `model` as one vector.
fn flat(model: &Model, gradients: &GradientsParams) -> Vec<f64> {
    parameters(model, gradients).into_iter().flat_map(|each| each.gradient.unwrap()).collect()
}

/// The gradients of a seed before and after clipping.
fn clipped(clipping: GradientClipping, size: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let model = model();
    let before = flat(&model, &gradients(&model, size, seed));
    let after = clipping.apply(&model, gradients(&model, size, seed));
    (before, flat(&model, &after))
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[test]
fn clipping_by_norm_shortens_a_long_gradient_in_its_direction() {
    for seed in 0..20 {
        let (before, after) = clipped(GradientClipping::Norm(0.5), 10.0, seed);
        assert!(length(&before) > 5.0, "{before:?}");
        assert!((length(&after) - 0.5).abs() < 1e-6, "{}", length(&after));
        let factor = length(&after) / length(&before);
        let expected: Vec<f64> = before.iter().map(|value| value * factor).collect();
        assert_close(&after, &expected, 1e-12);
    }
}

#[test]
fn clipping_by_norm_does_not_change_a_short_gradient() {
    for seed in 0..20 {
        let (before, after) = clipped(GradientClipping::Norm(0.5), 0.05, seed);
        assert!(length(&before) < 0.5 && length(&before) > 0.05, "{before:?}");
        assert_eq!(before, after);
    }
}

#[test]
fn clipping_by_norm_keeps_a_gradient_of_zero() {
    let (_, after) = clipped(GradientClipping::Norm(0.5), 0.0, 1);
    assert!(after.iter().all(|&value| value == 0.0), "{after:?}");
}

#[test]
fn clipping_by_value_clamps_every_element() {
    for seed in 0..20 {
        let (before, after) = clipped(GradientClipping::Value(0.5), 1.0, seed);
        let expected: Vec<f64> = before.iter().map(|value| value.clamp(-0.5, 0.5)).collect();
        assert_eq!(after, expected);
        let kept = before.iter().filter(|value| value.abs() < 0.5).count();
        assert!(0 < kept && kept < before.len());
    }
}
