use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::GradientSum;

/// Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019, algorithm 2),
/// with the state of Burn's Adam.
///
/// Burn corrects the bias in f32, where `1 - 0.999^t` has few digits left: after a hundred steps
/// of 0.01 a parameter is 2e-6 away from PyTorch's.
#[derive(Debug, Clone)]
pub struct Adam {
    /// The decay of the mean of the gradients.
    pub beta_1: f64,
    /// The decay of the mean of their squares.
    pub beta_2: f64,
    /// What is added to the root of the second mean.
    pub epsilon: f64,
    /// The share of a weight that a step takes away, times the learning rate. Norms and biases,
    /// which have one dimension, keep all.
    pub weight_decay: f64,
    /// Told of every gradient that it follows.
    pub gradient_sum: GradientSum,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let means = state.map(|state| state.momentum).unwrap_or_else(|| zero_means(&gradient));
        let time = means.time + 1;
        let decay = if D > 1 { self.weight_decay } else { 0.0 };
        let step = self.numbers(learning_rate, time, decay);
        let done = kernels::adam(&step, parameter, gradient, means.moment_1, means.moment_2);
        self.gradient_sum.add(done.gradient_sum);
        let means = AdaptiveMomentumState::new(time, done.moment_1, done.moment_2);
        (done.parameter, Some(AdamState::new(means)))
    }

    fn to_device<const D: usize>(mut state: AdamState<D>, device: &Device) -> AdamState<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}

impl Adam {
    /// The numbers of step `time`, from 1.
    fn numbers(&self, learning_rate: f64, time: usize, weight_decay: f64) -> kernels::AdamCoefficients {
        let first = 1.0 - self.beta_1.powf(time as f64);
        let root = (1.0 - self.beta_2.powf(time as f64)).sqrt();
        kernels::AdamCoefficients {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            step_size: learning_rate * root / first,
            epsilon: self.epsilon * root,
            decay_factor: 1.0 - learning_rate * weight_decay,
        }
    }
}

/// The means before the first step.
fn zero_means<const D: usize>(gradient: &Tensor<D>) -> AdaptiveMomentumState<D> {
    let zeros = gradient.zeros_like();
    AdaptiveMomentumState::new(0, zeros.clone(), zeros)
}
