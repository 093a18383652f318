use burn::module::Module;
use burn::tensor::Tensor;
use config::Check;
use serde::{Deserialize, Serialize};

use crate::cnn::{Cnn, CnnConfig};
use crate::initializer::Generator;
use crate::layer::Layer;
use crate::mlp::{Mlp, MlpConfig};
use crate::noise::Noise;
use crate::parameters::Parameters;
use crate::resnet::{Resnet, ResnetConfig};

/// Which model to train, for example `[model.mlp]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelConfig {
    /// A multi-layer perceptron.
    Mlp(MlpConfig),
    /// A convolutional network.
    Cnn(CnnConfig),
    /// A residual network.
    Resnet(ResnetConfig),
}

/// What computes the logits of examples.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a run has one model")]
pub enum Model {
    /// A multi-layer perceptron.
    Mlp(Mlp),
    /// A convolutional network.
    Cnn(Cnn),
    /// A residual network.
    Resnet(Resnet),
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
            Self::Cnn(config) => Model::Cnn(config.init(shape, outputs, &mut parameters)),
            Self::Resnet(config) => Model::Resnet(config.init(shape, outputs, &mut parameters)),
        }
    }

    /// The number of parameters of the model, running statistics included; `None` if it
    /// overflows.
    pub fn parameters(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        Layer::parameters_of(&self.layers(shape, outputs)?)
    }

    /// The layers of the model, in the order of its forward pass; `None` if a number overflows.
    pub fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let inputs = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        match self {
            Self::Mlp(config) => config.layers(inputs, outputs),
            Self::Cnn(config) => config.layers(shape, outputs),
            Self::Resnet(config) => config.layers(shape, outputs),
        }
    }

    /// How many numbers a training step holds for each example, beside its inputs; `None` if it
    /// overflows.
    pub fn activations(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        let inputs = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        match self {
            Self::Mlp(config) => config.activations(inputs, outputs),
            Self::Cnn(config) => config.activations(shape, outputs),
            Self::Resnet(config) => config.activations(shape, outputs),
        }
    }

    /// Whether any layer is normalised over its batch.
    pub fn has_batch_norm(&self) -> bool {
        match self {
            Self::Mlp(config) => config.has_batch_norm(),
            Self::Cnn(config) => config.batch_norm,
            Self::Resnet(_) => true,
        }
    }

    /// Why examples of `shape` cannot be classified, if they cannot.
    pub fn objection(&self, shape: [usize; 3]) -> Option<String> {
        let are_features = matches!(shape, [1, 1, _]);
        match self {
            Self::Mlp(_) => None,
            Self::Cnn(_) | Self::Resnet(_) if are_features => {
                Some("convolutions need images, and these are plain features".to_owned())
            }
            Self::Cnn(config) => config.objection(shape),
            Self::Resnet(_) => None,
        }
    }

    /// The same model with linear activations; `None` if it has no others.
    pub fn with_linear_activation(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.with_linear_activation().map(Self::Mlp),
            Self::Cnn(config) => config.with_linear_activation().map(Self::Cnn),
            Self::Resnet(_) => None,
        }
    }

    /// The same model without dropout; `None` if it has none.
    pub fn without_dropout(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.without_dropout().map(Self::Mlp),
            Self::Cnn(config) => config.without_dropout().map(Self::Cnn),
            Self::Resnet(config) => config.without_dropout().map(Self::Resnet),
        }
    }

    /// The largest seed that its initial parameters can be drawn from.
    pub fn largest_seed(&self) -> u64 {
        match self {
            Self::Mlp(config) if config.generator == Generator::Numpy => u32::MAX.into(),
            _ => i64::MAX as u64,
        }
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        match self {
            Self::Mlp(config) => check.table("mlp", |check| config.check(check)),
            Self::Cnn(config) => check.table("cnn", |check| config.check(check)),
            Self::Resnet(config) => check.table("resnet", |check| config.check(check)),
        }
    }
}

impl Model {
    /// Inputs `[batch, height, width, channels]` to logits `[batch, outputs]`; in training with
    /// its `noise`.
    pub fn forward(&self, inputs: Tensor<4>, noise: Option<&Noise>) -> Tensor<2> {
        match self {
            Self::Mlp(model) => model.forward(inputs.flatten(1, 3), noise),
            Self::Cnn(model) => model.forward(inputs, noise),
            Self::Resnet(model) => model.forward(inputs, noise),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, ImageHead, Initializer, NormPosition, Pool};
    use burn::tensor::{Device, Distribution, TensorData};

    fn model(config: &ModelConfig, seed: u64) -> Model {
        let parameters = Parameters::new(seed, &Device::default());
        config.init([4, 5, 3], 6, parameters)
    }

    fn weights(model: Model) -> Vec<u8> {
        model.into_record().into_bytes().unwrap().to_vec()
    }

    #[test]
    fn equal_seeds_give_equal_files_and_others_do_not() {
        let resnet = ResnetConfig::default();
        for config in [ModelConfig::Mlp(MlpConfig::default()), ModelConfig::Resnet(resnet)] {
            assert!(weights(model(&config, 1)) == weights(model(&config, 1)));
            assert!(weights(model(&config, 1)) != weights(model(&config, 2)));
        }
    }

    /// Every combination of the choices of a perceptron.
    fn perceptrons() -> impl Iterator<Item = ModelConfig> {
        let norms =
            [NormPosition::None, NormPosition::BeforeActivation, NormPosition::AfterActivation];
        let choices = Activation::ALL.into_iter().flat_map(move |activation| {
            norms.into_iter().map(move |batch_norm| (activation, batch_norm))
        });
        choices.flat_map(|(activation, batch_norm)| {
            Initializer::ALL.into_iter().flat_map(move |initializer| {
                [vec![], vec![7], vec![7, 3]].map(|hidden| {
                    ModelConfig::Mlp(MlpConfig {
                        dropout: vec![0.5; hidden.len()],
                        hidden,
                        activation,
                        batch_norm,
                        initializer,
                        ..MlpConfig::default()
                    })
                })
            })
        })
    }

    /// Every choice of a convolutional network, and some residual ones.
    fn networks_of_images() -> impl Iterator<Item = ModelConfig> {
        let cnn = CnnConfig { channels: vec![4, 3], dropout: 0.5, ..CnnConfig::default() };
        let pools = [Pool::Max, Pool::Average, Pool::None].into_iter().flat_map(move |pool| {
            let cnn = CnnConfig { pool, ..cnn.clone() };
            [ImageHead::Flatten, ImageHead::Average].map(|head| CnnConfig { head, ..cnn.clone() })
        });
        let norms = pools.flat_map(|cnn| {
            [true, false].map(|batch_norm| CnnConfig { batch_norm, ..cnn.clone() })
        });
        let cnns = norms.flat_map(|cnn| {
            let activations = Activation::ALL.into_iter().enumerate();
            activations.map(move |(index, activation)| {
                ModelConfig::Cnn(CnnConfig {
                    activation,
                    convolutions: 1 + index % 2,
                    kernel_size: 1 + 2 * (index % 3),
                    hidden: vec![5; index % 3],
                    ..cnn.clone()
                })
            })
        });
        let resnet = ResnetConfig { channels: vec![4, 5, 5], dropout: 0.5, ..Default::default() };
        let resnets = [None, Some(3)].map(|stem| ResnetConfig { stem, ..resnet.clone() });
        cnns.chain(resnets.map(ModelConfig::Resnet))
    }

    #[test]
    fn every_variant_gives_finite_logits_of_one_row_an_example() {
        let device = Device::default();
        let noise = Noise { seed: 1, step: 1, part: 0 };
        for config in perceptrons().chain(networks_of_images()) {
            let model = model(&config, 1);
            let counted = config.parameters([4, 5, 3], 6);
            assert_eq!(Some(model.num_params()), counted, "{config:?}");
            let layers = config.layers([4, 5, 3], 6).unwrap();
            assert_eq!(layers.last().unwrap().output, [6], "{config:?}");
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
        let regression = ModelConfig::Mlp(MlpConfig { hidden: vec![], ..MlpConfig::default() });
        assert_eq!(model(&regression, 1).num_params(), 60 * 6 + 6);
    }
}
