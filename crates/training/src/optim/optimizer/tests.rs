//! Compares the optimizers with PyTorch's and with their formulas.

use super::*;
use std::collections::BTreeMap;

use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::optim::{Decay, GradientClipping, ScheduleConfig};

/// The parameters of `pytorch.json`: nine numbers in two tensors.
#[derive(Module, Debug)]
struct Problem {
    w: Param<Tensor<2>>,
    b: Param<Tensor<1>>,
}

#[derive(Deserialize)]
struct References {
    cases: Vec<Case>,
}

/// A config, and the parameters of PyTorch by the number of steps.
#[derive(Deserialize)]
struct Case {
    name: String,
    optimizer: OptimizerConfig,
    clipping: Option<GradientClipping>,
    #[serde(default)]
    decay: Decay,
    after: BTreeMap<usize, [f64; 9]>,
}

impl Problem {
    fn new(values: [f64; 9], precision: DType) -> Self {
        let [w, b] = tensors(values, &Device::default().autodiff(), precision);
        Self {
            w: Param::initialized(ParamId::from(1), w.reshape([2, 3]).detach().require_grad()),
            b: Param::initialized(ParamId::from(2), b.detach().require_grad()),
        }
    }

    fn values(&self) -> [f64; 9] {
        let (w, b) = (self.w.val().into_data(), self.b.val().into_data());
        let values: Vec<f64> = w.iter::<f64>().chain(b.iter::<f64>()).collect();
        values.try_into().unwrap()
    }

    /// The gradients of both tensors, set by hand.
    fn gradients(&self, values: [f64; 9]) -> GradientsParams {
        let [w, b] = tensors(values, &Device::default(), self.w.val().dtype());
        let mut gradients = GradientsParams::new();
        gradients.register::<2>(self.w.id, w.reshape([2, 3]));
        gradients.register::<1>(self.b.id, b);
        gradients
    }
}

fn tensors(values: [f64; 9], device: &Device, precision: DType) -> [Tensor<1>; 2] {
    [&values[..6], &values[6..]].map(|part| {
        let data = TensorData::new(part.to_vec(), [part.len()]);
        Tensor::from_data(data, (device, precision))
    })
}

fn references() -> Vec<Case> {
    let references: References = serde_json::from_str(include_str!("pytorch.json")).unwrap();
    references.cases
}

/// The initial parameters.
fn start() -> [f64; 9] {
    std::array::from_fn(|k| 0.1 * (k + 1) as f64 * if k % 2 == 0 { 1.0 } else { -1.0 })
}

/// The gradients of step `t`, from 1.
fn gradient(values: [f64; 9], t: usize) -> [f64; 9] {
    std::array::from_fn(|k| {
        let index = k as f64;
        let slope = (values[k] - (0.05 * index - 0.1)) * (0.5 + 0.1 * index);
        slope + 0.2 * (0.3 * t as f64 * (index + 1.0)).sin()
    })
}

/// The parameters of `case` before the first and after each of `steps` steps.
fn path(case: &Case, steps: usize, precision: DType) -> Vec<[f64; 9]> {
    let schedule = ScheduleConfig { decay: case.decay.clone(), ..ScheduleConfig::default() };
    let mut optimizer = case.optimizer.init();
    let mut problem = Problem::new(start(), precision);
    let mut path = vec![problem.values()];
    for t in 1..=steps {
        let mut gradients = problem.gradients(gradient(problem.values(), t));
        if let Some(clipping) = case.clipping {
            gradients = clipping.apply(&problem, gradients);
        }
        let rate = case.optimizer.learning_rate() * schedule.factor(t - 1, 1, steps);
        problem = optimizer.step(case.optimizer.step_size(rate), problem, gradients);
        path.push(problem.values());
    }
    path
}

fn distance(one: &[f64; 9], other: &[f64; 9]) -> f64 {
    let distances = one.iter().zip(other).map(|(one, other)| (one - other).abs());
    // `total_cmp` orders NaN last, so that it is found.
    distances.max_by(f64::total_cmp).unwrap()
}

/// Largest deviation of `case` from its reference.
fn deviation(case: &Case, precision: DType) -> f64 {
    let path = path(case, 100, precision);
    let deviations = case.after.iter().map(|(&step, values)| distance(&path[step], values));
    deviations.max_by(f64::total_cmp).unwrap()
}

#[test]
fn optimizers_match_pytorch_over_a_hundred_steps() {
    let cases = references();
    assert_eq!(cases.len(), 12);
    for (case, precision) in cases.iter().flat_map(|case| [(case, DType::F64), (case, DType::F32)])
    {
        let deviation = deviation(case, precision);
        println!("{} in {precision:?}: {deviation:.1e}", case.name);
        assert!(deviation < 1e-6, "{} in {precision:?}: {deviation:.1e}", case.name);
    }
}

/// The parameters after the first and the second step of `optimizer`.
fn two_steps(optimizer: OptimizerConfig) -> [[f64; 9]; 2] {
    let (name, after) = (String::new(), BTreeMap::new());
    let case = Case { name, optimizer, clipping: None, decay: Decay::Constant, after };
    let path = path(&case, 2, DType::F64);
    [path[1], path[2]]
}

/// Compares two steps with those of a formula, which maps each start and its first two gradients
/// to the first two updates. The second gradient depends on the first update.
fn assert_two_steps(optimizer: OptimizerConfig, updates: impl Fn(f64, f64) -> [f64; 2]) {
    let [first, second] = two_steps(optimizer);
    let (g1, g2) = (gradient(start(), 1), gradient(first, 2));
    for k in 0..9 {
        let [one, two] = updates(g1[k], g2[k]);
        assert!((first[k] - (start()[k] - one)).abs() < 1e-7, "step 1 of element {k}");
        assert!((second[k] - (first[k] - two)).abs() < 1e-7, "step 2 of element {k}");
    }
}

#[test]
fn momentum_follows_the_formula_of_the_courses_for_two_steps() {
    let config = MomentumConfig { learning_rate: 0.2, beta: 0.8 };
    assert_two_steps(OptimizerConfig::Momentum(config), |g1, g2| {
        let v1 = 0.2 * g1;
        let v2 = 0.8 * v1 + 0.2 * g2;
        [0.2 * v1, 0.2 * v2]
    });
}

#[test]
fn rmsprop_follows_the_formula_of_the_courses_for_two_steps() {
    let config = RmsPropConfig { learning_rate: 0.02, beta: 0.75, epsilon: 1e-3 };
    assert_two_steps(OptimizerConfig::RmsProp(config), |g1, g2| {
        let s1 = 0.25 * g1 * g1;
        let s2 = 0.75 * s1 + 0.25 * g2 * g2;
        [0.02 * g1 / (s1.sqrt() + 1e-3), 0.02 * g2 / (s2.sqrt() + 1e-3)]
    });
}

#[test]
fn adam_follows_the_formula_of_the_courses_for_two_steps() {
    let config = AdamConfig { learning_rate: 0.02, beta_1: 0.75, beta_2: 0.9, epsilon: 1e-3 };
    assert_two_steps(OptimizerConfig::Adam(config), |g1, g2| {
        let (v1, s1) = (0.25 * g1, 0.1 * g1 * g1);
        let (v2, s2) = (0.75 * v1 + 0.25 * g2, 0.9 * s1 + 0.1 * g2 * g2);
        let (first, second) = (1.0 - 0.75_f64.powi(2), 1.0 - 0.9_f64.powi(2));
        [
            0.02 * (v1 / 0.25) / ((s1 / 0.1).sqrt() + 1e-3),
            0.02 * (v2 / first) / ((s2 / second).sqrt() + 1e-3),
        ]
    });
}
