//! The weights that are evaluated and saved as the model, where these are not the last ones.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::classifier::Classifier;

/// An exponential moving average of the weights (Polyak and Juditsky 1992), with the running
/// statistics of its own batch norms, takes the place of the weights in evaluation and in the
/// model of the run: `[training.ema]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmaConfig {
    /// How much of the average each step leaves. Less in the first steps, `(1 + step) / (10 +
    /// step)` after so many, since what they start from is worth nothing (TensorFlow's
    /// `ExponentialMovingAverage`).
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub decay: f64,
}

impl EmaConfig {
    /// The `average` after one more step, the `step`-th, that led to `current`.
    pub fn follow(self, average: Classifier, current: &Classifier, step: usize) -> Classifier {
        // Any tensors by the ids of their parameters.
        let mut weights = Weights(GradientsParams::new());
        // `valid` folds what batch norm gathered into its running statistics.
        current.valid().visit(&mut weights);
        let early = (1 + step) as f64 / (10 + step) as f64;
        average.map(&mut Follow { weights: weights.0, share: 1.0 - self.decay.min(early) })
    }
}

struct Weights(GradientsParams);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

struct Follow {
    weights: GradientsParams,
    share: f64,
}

impl ModuleMapper for Follow {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let weights = self.weights.remove::<D>(param.id);
        param.map(|average| match weights {
            // What does not change stays as it is, to the last bit.
            Some(weights) => average.clone() + (weights - average) * self.share,
            None => average,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use burn::tensor::{Device, FloatDType};

    use super::*;
    use crate::config::RunConfig;
    use crate::environment::DataIdentity;

    fn classifier(seed: u64) -> Classifier {
        let overrides = [format!("seed={seed}"), "model.mlp.batch_norm=before_activation".into()];
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let config = RunConfig::read(&path, &overrides).unwrap();
        let (data, identity) = DataIdentity::load(&config).unwrap();
        let statistics = config.input.normalization.fit(&data.train).unwrap();
        let device = Device::default().autodiff();
        Classifier::initial(&config, &identity, &statistics, FloatDType::F32, &device).unwrap()
    }

    /// Every number of a classifier.
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
    fn each_step_leaves_the_decay_of_the_average_and_less_of_it_in_the_first_steps() {
        let (start, current) = (classifier(1).valid(), classifier(2));
        let (from, to) = (numbers(&start), numbers(&current));
        for (step, kept) in [(1, 2.0 / 11.0), (80, 0.9), (100_000, 0.9)] {
            let average = EmaConfig { decay: 0.9 }.follow(classifier(1).valid(), &current, step);
            for ((average, from), to) in numbers(&average).into_iter().zip(&from).zip(&to) {
                assert!((average - (kept * from + (1.0 - kept) * to)).abs() < 1e-6, "step {step}");
            }
        }
    }

    #[test]
    fn what_no_step_changes_stays_the_same_to_the_last_bit() {
        let current = classifier(1);
        let average = EmaConfig { decay: 0.7 }.follow(current.valid(), &current, 3);
        assert_eq!(numbers(&average), numbers(&current));
    }
}
