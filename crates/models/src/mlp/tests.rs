use super::*;
use burn::module::{Param, ParamId};
use burn::tensor::{Device, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

impl Mlp {
    fn forward(&self, inputs: Tensor<2>, rng: Option<&DropoutRng>) -> Tensor<2> {
        self.head(self.features(inputs, rng))
    }
}

const DROPOUT_RNG: DropoutRng = DropoutRng { seed: 1, step: 3, micro_batch: 0 };

fn config(hidden: Vec<usize>, batch_norm: NormPosition) -> MlpConfig {
    MlpConfig { hidden, batch_norm, ..MlpConfig::default() }
}

fn init(config: &MlpConfig, inputs: usize, outputs: usize) -> Mlp {
    config.init(inputs, outputs, &mut ParameterInit::new(1, &Device::default().autodiff()))
}

fn random(shape: [usize; 2], seed: u64) -> Tensor<2> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..shape[0] * shape[1]).map(|_| rng.random_range(-2.0_f32..3.0));
    let values = TensorData::new(values.collect::<Vec<_>>(), shape);
    Tensor::from_data(values, &Device::default().autodiff())
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn param<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::from(1), tensor)
}

/// A model with hidden units of 1 and an identity output layer.
fn identity(units: usize, dropout: f64) -> Mlp {
    let activation = Activation::Linear;
    let config = config(vec![units], NormPosition::None);
    let config = MlpConfig { dropout: vec![dropout], activation, ..config };
    let mut model = init(&config, 2, units);
    let device = Device::default().autodiff();
    model.hidden[0].linear.weight = param(Tensor::zeros([2, units], &device));
    model.hidden[0].linear.bias = Some(param(Tensor::ones([units], &device)));
    model.output.weight = param(Tensor::eye(units, &device));
    model
}

#[test]
fn dropout_scales_kept_units_during_training() {
    for (dropout, kept) in [(0.5, 2.0), (0.2, 1.25), (0.75, 4.0)] {
        let logits = host(identity(50, dropout).forward(random([40, 2], 1), Some(&DROPOUT_RNG)));
        assert!(logits.iter().all(|&logit| logit == 0.0 || logit == kept), "{dropout}");
        let mean = logits.iter().sum::<f32>() / logits.len() as f32;
        assert!((mean - 1.0).abs() < 0.15, "{dropout}: {mean}");
        assert!(logits.contains(&0.0) && logits.contains(&kept), "{dropout}");
    }
}

#[test]
fn dropout_is_disabled_in_evaluation() {
    let without = config(vec![8, 6], NormPosition::None);
    let with = MlpConfig { dropout: vec![0.5, 0.3], ..without.clone() };
    let logits = |config, rng| host(init(config, 5, 3).forward(random([7, 5], 2), rng));
    assert_eq!(logits(&with, None), logits(&without, None));
    assert_ne!(logits(&with, Some(&DROPOUT_RNG)), logits(&without, None));
}

/// Mean and variance of each column of `[rows, columns]`.
fn moments(values: &[f32], columns: usize) -> Vec<(f32, f32)> {
    let rows = (values.len() / columns) as f32;
    let column = |unit| values.iter().skip(unit).step_by(columns);
    let moments = |unit| {
        let mean = column(unit).sum::<f32>() / rows;
        (mean, column(unit).map(|value| (value - mean).powi(2)).sum::<f32>() / rows)
    };
    (0..columns).map(moments).collect()
}

/// A model of one normalised hidden layer of six linear units.
fn normalised() -> Mlp {
    let config = config(vec![6], NormPosition::BeforeActivation);
    init(&MlpConfig { activation: Activation::Linear, ..config }, 5, 3)
}

#[test]
fn batch_norm_gives_every_unit_zero_mean_and_unit_variance_over_the_batch() {
    for seed in 0..5 {
        let hidden = host(normalised().hidden[0].forward(random([64, 5], seed)));
        for (mean, variance) in moments(&hidden, 6) {
            assert!(mean.abs() < 1e-5, "{mean}");
            assert!((variance - 1.0).abs() < 1e-4, "{variance}");
        }
    }
}

#[test]
fn batch_norm_scales_by_gamma_and_shifts_by_beta() {
    let mut model = normalised();
    let norm = model.hidden[0].norm.as_mut().unwrap();
    norm.gamma = norm.gamma.clone().map(|gamma| gamma * 2.0);
    norm.beta = norm.beta.clone().map(|beta| beta + 3.0);
    for (mean, variance) in moments(&host(model.hidden[0].forward(random([64, 5], 1))), 6) {
        assert!((mean - 3.0).abs() < 1e-5, "{mean}");
        assert!((variance - 4.0).abs() < 1e-3, "{variance}");
    }
}

/// Logits of the first row, alone and in a batch with the others.
fn alone_and_together(model: &Mlp, rows: Tensor<2>) -> [Vec<f32>; 2] {
    let alone = model.forward(rows.clone().slice([0..1, 0..5]), None);
    let together = model.forward(rows, None).slice([0..1, 0..3]);
    [host(alone), host(together)]
}

fn distance(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let distances = one.iter().zip(other).map(|(one, other)| (one - other).abs());
    distances.max_by(f32::total_cmp).unwrap()
}

#[test]
fn batch_norm_depends_on_the_other_examples_in_training_only() {
    let model = normalised();
    for seed in 0..20 {
        model.forward(random([64, 5], seed), None);
    }
    let [one, other] =
        [random([8, 5], 90), random([8, 5], 91)].map(|rows| rows.slice([1..8, 0..5]));
    let first = random([1, 5], 92);
    let [one, other] = [one, other].map(|others| Tensor::cat(vec![first.clone(), others], 0));
    let of = |model: &Mlp, rows: Tensor<2>| host(model.forward(rows, None).slice([0..1, 0..3]));
    assert!(distance(&of(&model, one.clone()), &of(&model, other.clone())) > 1e-2);
    let [alone, together] = alone_and_together(&model.valid(), one.inner());
    assert!(distance(&alone, &together) < 1e-6);
    let [_, among_others] = alone_and_together(&model.valid(), other.inner());
    assert!(distance(&alone, &among_others) < 1e-6);
}

#[test]
fn batch_norm_uses_its_running_statistics_in_evaluation() {
    let model = normalised();
    for seed in 0..20 {
        model.forward(random([64, 5], seed), None);
    }
    let model = model.valid();
    let (layer, rows) = (&model.hidden[0], random([4, 5], 92).inner());
    let norm = layer.norm.as_ref().unwrap();
    let (mean, variance) = (norm.running_mean.value(), norm.running_var.value());
    assert!(host(mean.clone()).iter().any(|mean| mean.abs() > 0.1));
    let z = layer.linear.forward(rows.clone());
    let expected = (z - mean.unsqueeze()) / (variance + norm.epsilon).sqrt().unsqueeze();
    assert!(distance(&host(layer.forward(rows)), &host(expected)) < 1e-5);
}
