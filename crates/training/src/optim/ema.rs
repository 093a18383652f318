//! The exponential moving average of the weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// An exponential moving average of the weights (Polyak and Juditsky 1992), with the running
/// statistics of its own batch norms. It is evaluated and saved instead of the weights:
/// `[training.ema]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmaConfig {
    /// Share of the average that each step keeps. Step `n` keeps at most `(1 + n) / (10 + n)`, so
    /// that the initial weights fade quickly (TensorFlow's `ExponentialMovingAverage`).
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub decay: f64,
}

impl EmaConfig {
    /// Updates the `average` after step `step`, counted from 1, which led to `current`.
    pub fn update<M: Module>(self, average: M, current: &M, step: usize) -> M {
        // Burn's container of tensors by parameter id.
        let mut weights = Weights(GradientsParams::new());
        // `valid` folds the batch statistics into the running statistics.
        current.valid().visit(&mut weights);
        let early = (1 + step) as f64 / (10 + step) as f64;
        average.map(&mut Interpolate { weights: weights.0, share: 1.0 - self.decay.min(early) })
    }
}

struct Weights(GradientsParams);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

/// Moves each parameter towards the weight with its id by a share of their difference.
struct Interpolate {
    weights: GradientsParams,
    share: f64,
}

impl ModuleMapper for Interpolate {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let weights = self.weights.remove::<D>(param.id);
        param.map(|average| match weights {
            // In this form a weight that does not change keeps its bits.
            Some(weights) => average.clone() + (weights - average) * self.share,
            None => average,
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, FloatDType};
    use data::Statistics;
    use models::{MlpConfig, ModelConfig, NormPosition};

    use super::*;
    use crate::model::{Classifier, ClassifierConfig, ObjectiveConfig};

    fn classifier(seed: u64) -> Classifier {
        let model = ModelConfig::Mlp(MlpConfig {
            hidden: vec![5, 2],
            batch_norm: NormPosition::BeforeActivation,
            ..MlpConfig::default()
        });
        let objective = ObjectiveConfig::default();
        let config = ClassifierConfig {
            model: &model,
            objective: &objective,
            mirrored: false,
            seed,
            shape: [1, 1, 2],
            classes: 2,
        };
        let statistics = Statistics { shift: vec![0.5, -0.1], scale: vec![2.0, 3.0] };
        let device = Device::default().autodiff();
        config.init(&statistics, FloatDType::F32, &device).unwrap()
    }

    /// All values of a classifier.
    fn numbers(classifier: &Classifier) -> Vec<f32> {
        struct Numbers(Vec<f32>);
        impl ModuleVisitor for Numbers {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.extend(param.val().into_data().iter::<f32>());
            }
        }
        let mut numbers = Numbers(Vec::new());
        classifier.visit(&mut numbers);
        numbers.0
    }

    #[test]
    fn each_step_keeps_the_decay_and_the_first_steps_keep_less() {
        let (start, current) = (classifier(1).valid(), classifier(2));
        let (from, to) = (numbers(&start), numbers(&current));
        for (step, kept) in [(1, 2.0 / 11.0), (80, 0.9), (100_000, 0.9)] {
            let average = EmaConfig { decay: 0.9 }.update(classifier(1).valid(), &current, step);
            for ((average, from), to) in numbers(&average).into_iter().zip(&from).zip(&to) {
                assert!((average - (kept * from + (1.0 - kept) * to)).abs() < 1e-6, "step {step}");
            }
        }
    }

    #[test]
    fn unchanged_weights_keep_their_bits() {
        let current = classifier(1);
        let average = EmaConfig { decay: 0.7 }.update(current.valid(), &current, 3);
        assert_eq!(numbers(&average), numbers(&current));
    }
}
