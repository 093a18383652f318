use burn::module::Module;
use burn::tensor::Tensor;
use config::Check;
use serde::{Deserialize, Serialize};

use crate::initializer::Generator;
use crate::mlp::{Mlp, MlpConfig};
use crate::noise::Noise;
use crate::parameters::Parameters;

/// Which model to train: `[model.mlp]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelConfig {
    /// A multi-layer perceptron.
    Mlp(MlpConfig),
}

/// What computes the logits of examples.
#[derive(Module, Debug)]
pub enum Model {
    /// A multi-layer perceptron.
    Mlp(Mlp),
}

impl ModelConfig {
    /// The model with its initial `parameters`.
    ///
    /// `shape` is the height, width and channels of an example, `outputs` the number of logits.
    pub fn init(&self, shape: [usize; 3], outputs: usize, mut parameters: Parameters) -> Model {
        match self {
            Self::Mlp(config) => {
                let inputs = shape.iter().product();
                Model::Mlp(config.init(inputs, outputs, &mut parameters))
            }
        }
    }

    /// The number of parameters of the model, running statistics included; `None` if it
    /// overflows.
    pub fn parameters(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        let inputs = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        match self {
            Self::Mlp(config) => config.parameters(inputs, outputs),
        }
    }

    /// How many numbers a training step holds for each example, beside its inputs; `None` if it
    /// overflows.
    pub fn activations(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        let inputs = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        match self {
            Self::Mlp(config) => config.activations(inputs, outputs),
        }
    }

    /// Whether any layer is normalised over its batch.
    pub fn has_batch_norm(&self) -> bool {
        match self {
            Self::Mlp(config) => config.has_batch_norm(),
        }
    }

    /// The same model with linear activations; `None` if it has no others.
    pub fn with_linear_activation(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.with_linear_activation().map(Self::Mlp),
        }
    }

    /// The same model without dropout; `None` if it has none.
    pub fn without_dropout(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.without_dropout().map(Self::Mlp),
        }
    }

    /// The largest seed that its initial parameters can be drawn from.
    pub fn largest_seed(&self) -> u64 {
        match self {
            Self::Mlp(config) if config.generator == Generator::Numpy => u32::MAX.into(),
            Self::Mlp(_) => i64::MAX as u64,
        }
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        match self {
            Self::Mlp(config) => check.table("mlp", |check| config.check(check)),
        }
    }
}

impl Model {
    /// Inputs `[batch, height, width, channels]` to logits `[batch, outputs]`; in training with
    /// its `noise`.
    pub fn forward(&self, inputs: Tensor<4>, noise: Option<&Noise>) -> Tensor<2> {
        match self {
            Self::Mlp(model) => model.forward(inputs.flatten(1, 3), noise),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Initializer, NormPosition};
    use burn::tensor::{Device, Distribution, TensorData};

    fn model(config: &MlpConfig, seed: u64) -> Model {
        let parameters = Parameters::new(seed, &Device::default());
        ModelConfig::Mlp(config.clone()).init([4, 5, 3], 6, parameters)
    }

    fn weights(model: Model) -> Vec<u8> {
        model.into_record().into_bytes().unwrap().to_vec()
    }

    #[test]
    fn equal_seeds_give_equal_files_and_others_do_not() {
        let config = MlpConfig::default();
        assert!(weights(model(&config, 1)) == weights(model(&config, 1)));
        assert!(weights(model(&config, 1)) != weights(model(&config, 2)));
    }

    /// Every combination of the choices of a perceptron.
    fn variants() -> impl Iterator<Item = MlpConfig> {
        let norms =
            [NormPosition::None, NormPosition::BeforeActivation, NormPosition::AfterActivation];
        let choices = Activation::ALL.into_iter().flat_map(move |activation| {
            norms.into_iter().map(move |batch_norm| (activation, batch_norm))
        });
        choices.flat_map(|(activation, batch_norm)| {
            Initializer::ALL.into_iter().flat_map(move |initializer| {
                [vec![], vec![7], vec![7, 3]].map(|hidden| MlpConfig {
                    dropout: vec![0.5; hidden.len()],
                    hidden,
                    activation,
                    batch_norm,
                    initializer,
                    ..MlpConfig::default()
                })
            })
        })
    }

    #[test]
    fn every_variant_gives_finite_logits_of_one_row_an_example() {
        let device = Device::default();
        let noise = Noise { seed: 1, step: 1, part: 0 };
        for config in variants() {
            let model = model(&config, 1);
            let counted = ModelConfig::Mlp(config.clone()).parameters([4, 5, 3], 6);
            assert_eq!(Some(model.num_params()), counted, "{config:?}");
            for noise in [None, Some(&noise)] {
                let inputs = Tensor::random([2, 4, 5, 3], Distribution::Default, &device);
                let logits = model.forward(inputs, noise);
                assert_eq!(logits.dims(), [2, 6], "{config:?}");
                let data: TensorData = logits.into_data();
                assert!(data.iter::<f32>().all(f32::is_finite), "{config:?}");
            }
        }
    }

    #[test]
    fn a_model_without_hidden_layers_is_softmax_regression() {
        let regression = MlpConfig { hidden: vec![], ..MlpConfig::default() };
        assert_eq!(model(&regression, 1).num_params(), 60 * 6 + 6);
    }
}
