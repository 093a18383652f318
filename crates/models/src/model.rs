use burn::module::Module;
use burn::tensor::{Device, Tensor};
use config::Check;
use serde::{Deserialize, Serialize};

use crate::mlp::{Mlp, MlpConfig};
use crate::parameters::Parameters;

/// Which model to train: `[model.mlp]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelConfig {
    /// A multi-layer perceptron.
    Mlp(MlpConfig),
}

/// A classifier of images.
#[derive(Module, Debug)]
pub enum Model {
    /// A multi-layer perceptron.
    Mlp(Mlp),
}

impl ModelConfig {
    /// The model on `device` with its initial parameters drawn from `seed`.
    ///
    /// `image` is the height, width and channels of an image, `classes` the number of logits.
    pub fn init(&self, image: [usize; 3], classes: usize, seed: u64, device: &Device) -> Model {
        let mut parameters = Parameters::new(seed, device);
        match self {
            Self::Mlp(config) => {
                let inputs = image.iter().product();
                Model::Mlp(config.init(inputs, classes, &mut parameters))
            }
        }
    }

    /// The number of parameters of the model, running statistics included; `None` if it
    /// overflows.
    pub fn parameters(&self, image: [usize; 3], classes: usize) -> Option<usize> {
        let inputs = image.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        match self {
            Self::Mlp(config) => config.parameters(inputs, classes),
        }
    }

    /// Whether any layer is normalised over its batch.
    pub fn has_batch_norm(&self) -> bool {
        match self {
            Self::Mlp(config) => config.batch_norm && !config.hidden.is_empty(),
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
    /// Images `[batch, height, width, channels]` to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Mlp(model) => model.forward(images.flatten(1, 3)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Initializer};
    use burn::tensor::{Distribution, TensorData};

    fn model(config: &MlpConfig, seed: u64) -> Model {
        let device = Device::default();
        ModelConfig::Mlp(config.clone()).init([4, 5, 3], 6, seed, &device)
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

    #[test]
    fn every_variant_gives_finite_logits_of_one_row_an_image() {
        for activation in [Activation::Relu, Activation::Tanh, Activation::Sigmoid] {
            for initializer in [Initializer::HeNormal, Initializer::GlorotUniform] {
                for (hidden, batch_norm) in [(vec![], false), (vec![7], false), (vec![7, 3], true)]
                {
                    let config = MlpConfig { hidden, activation, batch_norm, initializer };
                    let images =
                        Tensor::random([2, 4, 5, 3], Distribution::Default, &Device::default());
                    let model = model(&config, 1);
                    let counted = ModelConfig::Mlp(config.clone()).parameters([4, 5, 3], 6);
                    assert_eq!(Some(model.num_params()), counted, "{config:?}");
                    let logits = model.forward(images);
                    assert_eq!(logits.dims(), [2, 6], "{config:?}");
                    let data: TensorData = logits.into_data();
                    assert!(data.iter::<f32>().all(f32::is_finite), "{config:?}");
                }
            }
        }
    }

    #[test]
    fn a_model_without_hidden_layers_is_softmax_regression() {
        let regression = MlpConfig { hidden: vec![], ..MlpConfig::default() };
        assert_eq!(model(&regression, 1).num_params(), 60 * 6 + 6);
    }
}
