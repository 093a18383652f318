use std::fmt;

use burn::module::Module;
use burn::tensor::Tensor;
use config::Check;
use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::cnn::{Cnn, CnnConfig};
use crate::dropout::DropoutRng;
use crate::erased::BoxedModel;
use crate::initializer::Generator;
use crate::layer::Layer;
use crate::mlp::{Mlp, MlpConfig};
use crate::model_registry::{CustomModelConfig, ModelRegistry, UnknownModel};
use crate::parameter_init::ParameterInit;
use crate::resnet::{Resnet, ResnetConfig};

/// Architecture and hyperparameters of the model, for example `[model.mlp]`.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelConfig {
    /// Multi-layer perceptron.
    Mlp(MlpConfig),
    /// Convolutional network.
    Cnn(CnnConfig),
    /// Residual network.
    Resnet(ResnetConfig),
    /// Model of another crate.
    #[serde(untagged)]
    #[schemars(skip)]
    Custom(CustomModelConfig),
}

/// A model with its parameters.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a run has one model")]
pub enum Model {
    /// Multi-layer perceptron.
    Mlp(Mlp),
    /// Convolutional network.
    Cnn(Cnn),
    /// Residual network.
    Resnet(Resnet),
    /// Model of another crate.
    Custom(BoxedModel),
}

impl ModelConfig {
    /// Names of the built-in models.
    pub const BUILT_IN: &[&str] = &["mlp", "cnn", "resnet"];

    /// Creates the model with initial parameters from `init`.
    ///
    /// `shape` is `[height, width, channels]` of an example, `outputs` the number of logits.
    ///
    /// # Errors
    ///
    /// If it is a custom model that is not registered.
    pub fn init(
        &self,
        shape: [usize; 3],
        outputs: usize,
        mut init: ParameterInit,
    ) -> Result<Model, UnknownModel> {
        Ok(match self {
            Self::Mlp(config) => {
                let inputs = shape.iter().product();
                Model::Mlp(config.init(inputs, outputs, &mut init))
            }
            Self::Cnn(config) => Model::Cnn(config.init(shape, outputs, &mut init)),
            Self::Resnet(config) => Model::Resnet(config.init(shape, outputs, &mut init)),
            Self::Custom(config) => Model::Custom(config.init(shape, outputs, &mut init)?),
        })
    }

    /// The custom model of the config as a registry; empty for built-in models.
    pub fn registry(&self) -> ModelRegistry {
        match self {
            Self::Custom(config) => config.registry(),
            _ => ModelRegistry::new(),
        }
    }

    /// Returns the number of parameters, including running statistics; `None` if it overflows.
    pub fn parameter_count(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        Layer::sum(&self.layers(shape, outputs)?, Layer::parameters)
    }

    /// Returns the number of multiply-accumulate operations of a forward pass of one example, those
    /// of linear maps and convolutions; `None` if it overflows. A step takes three times as many.
    pub fn multiply_adds(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        Layer::sum(&self.layers(shape, outputs)?, Layer::multiply_adds)
    }

    /// Describes the layers in the order of the forward pass; `None` if a number overflows.
    pub fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let inputs = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        match self {
            Self::Mlp(config) => Some(config.layers(inputs, outputs)),
            Self::Cnn(config) => config.layers(shape, outputs),
            Self::Resnet(config) => config.layers(shape, outputs),
            Self::Custom(config) => config.layers(shape, outputs),
        }
    }

    /// Returns the number of values that a training step holds per example, without its inputs;
    /// `None` if it overflows.
    pub fn activation_count(&self, shape: [usize; 3], outputs: usize) -> Option<usize> {
        let inputs = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        match self {
            Self::Mlp(config) => config.activation_count(inputs, outputs),
            Self::Cnn(config) => config.activation_count(shape, outputs),
            Self::Resnet(config) => config.activation_count(shape, outputs),
            Self::Custom(config) => {
                let layers = config.layers(shape, outputs)?;
                let sizes = layers.iter().map(|layer| layer.output.iter().product::<usize>());
                sizes.sum::<usize>().checked_add(inputs)
            }
        }
    }

    /// The name in torchvision of the module at `path` in the model, if torchvision has this model.
    pub fn torchvision_module(&self, path: &str) -> Option<String> {
        match self {
            Self::Resnet(config) => config.torchvision_module(path),
            _ => None,
        }
    }

    /// Returns true if any layer uses batch normalisation.
    pub fn has_batch_norm(&self) -> bool {
        match self {
            Self::Mlp(config) => config.has_batch_norm(),
            Self::Cnn(config) => config.batch_norm,
            Self::Resnet(_) => true,
            Self::Custom(_) => false,
        }
    }

    /// Returns the reason why the model does not accept examples of `shape`, if there is one.
    pub fn incompatibility(&self, shape: [usize; 3]) -> Option<String> {
        let are_features = matches!(shape, [1, 1, _]);
        match self {
            Self::Mlp(_) => None,
            Self::Cnn(_) | Self::Resnet(_) if are_features => {
                Some("convolutions need images, but the examples are plain features".to_owned())
            }
            Self::Cnn(config) => config.incompatibility(shape),
            Self::Resnet(_) => None,
            Self::Custom(config) => config.incompatibility(shape),
        }
    }

    /// Returns the same model with linear activations, or `None` if it has no others.
    pub fn with_linear_activation(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.with_linear_activation().map(Self::Mlp),
            Self::Cnn(config) => config.with_linear_activation().map(Self::Cnn),
            Self::Resnet(_) | Self::Custom(_) => None,
        }
    }

    /// Returns the same model without dropout, or `None` if it has no dropout.
    pub fn without_dropout(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.without_dropout().map(Self::Mlp),
            Self::Cnn(config) => config.without_dropout().map(Self::Cnn),
            Self::Resnet(config) => config.without_dropout().map(Self::Resnet),
            Self::Custom(_) => None,
        }
    }

    /// Returns the largest seed that the generator of the initial parameters supports.
    pub fn max_seed(&self) -> u64 {
        match self {
            Self::Mlp(config) if config.generator == Generator::Numpy => u32::MAX.into(),
            _ => i64::MAX as u64,
        }
    }

    /// Records every invalid value.
    pub fn check(&self, check: &mut Check) {
        match self {
            Self::Mlp(config) => check.table("mlp", |check| config.check(check)),
            Self::Cnn(config) => check.table("cnn", |check| config.check(check)),
            Self::Resnet(config) => check.table("resnet", |check| config.check(check)),
            Self::Custom(config) => config.check(check),
        }
    }
}

impl Model {
    /// Maps inputs `[batch, height, width, channels]` to logits `[batch, outputs]`. Dropout is
    /// active if `rng` is given.
    pub fn forward(&self, inputs: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        match self {
            Self::Mlp(model) => model.forward(inputs.flatten(1, 3), rng),
            Self::Cnn(model) => model.forward(inputs, rng),
            Self::Resnet(model) => model.forward(inputs, rng),
            Self::Custom(model) => model.forward(inputs, rng),
        }
    }

    /// Returns true if the penalties of the objective include the parameter at `path`, for example
    /// `hidden.0.linear.weight`, of this rank.
    pub fn is_penalized(&self, path: &str, rank: usize) -> bool {
        match self {
            Self::Custom(model) => model.is_penalized(path, rank),
            _ => rank > 1,
        }
    }
}

impl<'de> Deserialize<'de> for ModelConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("ModelConfig", Self::BUILT_IN, ModelVisitor)
    }
}

/// Reads a built-in model, or any other name as a custom model that is not yet resolved.
struct ModelVisitor;

impl<'de> Visitor<'de> for ModelVisitor {
    type Value = ModelConfig;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a table with one key such as `[model.mlp]`")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<ModelConfig, A::Error> {
        let (name, variant) = access.variant::<String>()?;
        match name.as_str() {
            "mlp" => variant.newtype_variant().map(ModelConfig::Mlp),
            "cnn" => variant.newtype_variant().map(ModelConfig::Cnn),
            "resnet" => variant.newtype_variant().map(ModelConfig::Resnet),
            _ => {
                let values = variant.newtype_variant()?;
                Ok(ModelConfig::Custom(CustomModelConfig::unresolved(name, values)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, ImageHead, Initializer, NormPosition, Pool};
    use burn::tensor::{Device, Distribution, TensorData};

    fn model(config: &ModelConfig, seed: u64) -> Model {
        config.init([4, 5, 3], 6, ParameterInit::new(seed, &Device::default())).unwrap()
    }

    fn weights(model: Model) -> Vec<u8> {
        model.into_record().into_bytes().unwrap().to_vec()
    }

    #[test]
    fn equal_seeds_give_equal_records_and_other_seeds_do_not() {
        let resnet = ResnetConfig::default();
        for config in [ModelConfig::Mlp(MlpConfig::default()), ModelConfig::Resnet(resnet)] {
            assert!(weights(model(&config, 1)) == weights(model(&config, 1)));
            assert!(weights(model(&config, 1)) != weights(model(&config, 2)));
        }
    }

    /// Every combination of the options of a perceptron.
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

    /// Every combination of the options of a convolutional network, and two residual networks.
    fn image_networks() -> impl Iterator<Item = ModelConfig> {
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
    fn every_variant_returns_one_row_of_finite_logits_per_example() {
        let device = Device::default();
        let rng = DropoutRng { seed: 1, step: 1, micro_batch: 0 };
        for config in perceptrons().chain(image_networks()) {
            let model = model(&config, 1);
            let counted = config.parameter_count([4, 5, 3], 6);
            assert_eq!(Some(model.num_params()), counted, "{config:?}");
            let layers = config.layers([4, 5, 3], 6).unwrap();
            assert_eq!(layers.last().unwrap().output, [6], "{config:?}");
            for rng in [None, Some(&rng)] {
                let inputs = Tensor::random([2, 4, 5, 3], Distribution::Default, &device);
                let logits = model.forward(inputs, rng);
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
