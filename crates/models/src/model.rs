use std::fmt;

use burn::module::Module;
use burn::tensor::Tensor;
use config::Check;
use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::cnn::{Cnn, CnnConfig};
use crate::dropout::DropoutRng;
use crate::efficientnet_lite::{EfficientNetLite, EfficientNetLiteConfig};
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
    /// EfficientNet-Lite.
    #[serde(rename = "efficientnet_lite")]
    EfficientNetLite(EfficientNetLiteConfig),
    /// Model of another crate.
    #[serde(untagged)]
    #[schemars(skip)]
    Custom(CustomModelConfig),
}

/// A library whose names of weights are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// torchvision
    Torchvision,
    /// timm
    Timm,
    /// efficientnet_pytorch and efficientnet_lite_pytorch
    EfficientNetPytorch,
}

impl Library {
    /// All libraries.
    pub const ALL: [Self; 3] = [Self::Torchvision, Self::Timm, Self::EfficientNetPytorch];
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
    /// EfficientNet-Lite.
    EfficientNetLite(EfficientNetLite),
    /// Model of another crate.
    Custom(BoxedModel),
}

impl ModelConfig {
    /// Names of the built-in models.
    pub const BUILT_IN: &[&str] = &["mlp", "cnn", "resnet", "efficientnet_lite"];

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
            Self::EfficientNetLite(config) => {
                Model::EfficientNetLite(config.init(shape, outputs, &mut init))
            }
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
            Self::EfficientNetLite(config) => config.layers(shape, outputs),
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
            Self::Resnet(_) | Self::EfficientNetLite(_) => {
                Layer::activations(&self.layers(shape, outputs)?, shape)
            }
            Self::Custom(config) => {
                let layers = config.layers(shape, outputs)?;
                let sizes = layers.iter().map(|layer| layer.output.iter().product::<usize>());
                sizes.sum::<usize>().checked_add(inputs)
            }
        }
    }

    /// The name of the module at `path` in a library that has this model.
    pub fn module_in(&self, library: Library, path: &str) -> Option<String> {
        match (self, library) {
            // The residual networks of timm have the names of torchvision's.
            (Self::Resnet(config), Library::Torchvision) => config.torchvision_module(path),
            (Self::EfficientNetLite(config), Library::Timm) => config.timm_module(path),
            (Self::EfficientNetLite(config), Library::EfficientNetPytorch) => {
                config.efficientnet_pytorch_module(path)
            }
            _ => None,
        }
    }

    /// Number of stages: what can be [frozen](Model::freeze) one by one, and the output layer. `None`
    /// for a custom model.
    pub fn stages(&self) -> Option<usize> {
        match self {
            Self::Mlp(config) => Some(config.hidden.len() + 1),
            Self::Cnn(config) => Some(config.channels.len() + config.hidden.len() + 1),
            Self::Resnet(config) => Some(config.channels.len() + 2),
            Self::EfficientNetLite(_) => Some(EfficientNetLiteConfig::STAGES),
            Self::Custom(_) => None,
        }
    }

    /// Returns true if any layer uses batch normalisation.
    pub fn has_batch_norm(&self) -> bool {
        match self {
            Self::Mlp(config) => config.has_batch_norm(),
            Self::Cnn(config) => config.batch_norm,
            Self::Resnet(_) | Self::EfficientNetLite(_) => true,
            Self::Custom(_) => false,
        }
    }

    /// Returns the reason why the model does not accept examples of `shape`, if there is one.
    pub fn incompatibility(&self, shape: [usize; 3]) -> Option<String> {
        let are_features = matches!(shape, [1, 1, _]);
        match self {
            Self::Mlp(_) => None,
            Self::Cnn(_) | Self::Resnet(_) | Self::EfficientNetLite(_) if are_features => {
                Some("convolutions need images, but the examples are plain features".to_owned())
            }
            Self::Cnn(config) => config.incompatibility(shape),
            Self::Resnet(_) | Self::EfficientNetLite(_) => None,
            Self::Custom(config) => config.incompatibility(shape),
        }
    }

    /// Returns the same model with linear activations, or `None` if it has no others.
    pub fn with_linear_activation(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.with_linear_activation().map(Self::Mlp),
            Self::Cnn(config) => config.with_linear_activation().map(Self::Cnn),
            Self::Resnet(_) | Self::EfficientNetLite(_) | Self::Custom(_) => None,
        }
    }

    /// Returns true if the features before the output layer depend on random numbers in training.
    pub fn has_random_features(&self) -> bool {
        match self {
            Self::Mlp(config) => config.without_dropout().is_some(),
            Self::Cnn(config) => config.dropout > 0.0 && !config.hidden.is_empty(),
            Self::Resnet(config) => config.stochastic_depth > 0.0,
            Self::EfficientNetLite(config) => config.stochastic_depth > 0.0,
            Self::Custom(_) => true,
        }
    }

    /// Returns the same model without dropout, or `None` if it has no dropout.
    pub fn without_dropout(&self) -> Option<Self> {
        match self {
            Self::Mlp(config) => config.without_dropout().map(Self::Mlp),
            Self::Cnn(config) => config.without_dropout().map(Self::Cnn),
            Self::Resnet(config) => config.without_dropout().map(Self::Resnet),
            Self::EfficientNetLite(config) => config.without_dropout().map(Self::EfficientNetLite),
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
            Self::EfficientNetLite(_) => {}
            Self::Custom(config) => config.check(check),
        }
    }
}

impl Model {
    /// Maps inputs `[batch, height, width, channels]` to logits `[batch, outputs]`. Dropout is
    /// active if `rng` is given.
    pub fn forward(&self, inputs: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        self.head(self.features(inputs, rng), rng)
    }

    /// Maps inputs to the features `[batch, features]` that [`Model::head`] takes: everything but the
    /// output layer. Those of a custom model are its logits.
    pub fn features(&self, inputs: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2> {
        match self {
            Self::Mlp(model) => model.features(inputs.flatten(1, 3), rng),
            Self::Cnn(model) => model.features(inputs, rng),
            Self::Resnet(model) => model.features(inputs, rng),
            Self::EfficientNetLite(model) => model.features(inputs, rng),
            Self::Custom(model) => model.forward(inputs, rng),
        }
    }

    /// Maps features to logits `[batch, outputs]`.
    pub fn head(&self, features: Tensor<2>, rng: Option<&DropoutRng>) -> Tensor<2> {
        match self {
            Self::Mlp(model) => model.head(features),
            Self::Cnn(model) => model.head(features, rng),
            Self::Resnet(model) => model.head(features, rng),
            Self::EfficientNetLite(model) => model.head(features, rng),
            Self::Custom(_) => features,
        }
    }

    /// Takes the first stages out of training: their parameters and running statistics stay as they
    /// are, and their batch norms use those statistics. A custom model is not changed.
    #[must_use]
    pub fn freeze(mut self, stages: usize) -> Self {
        match &mut self {
            Self::Mlp(model) => model.freeze(stages),
            Self::Cnn(model) => model.freeze(stages),
            Self::Resnet(model) => model.freeze(stages),
            Self::EfficientNetLite(model) => model.freeze(stages),
            Self::Custom(_) => {}
        }
        self
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
            "efficientnet_lite" => variant.newtype_variant().map(ModelConfig::EfficientNetLite),
            _ => {
                let values = variant.newtype_variant()?;
                Ok(ModelConfig::Custom(CustomModelConfig::unresolved(name, values)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::layer::Operation;
    use crate::{Activation, ImageHead, Initializer, NormPosition, Pool};
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::{Device, Distribution, Gradients, TensorData};

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

    /// Whether each tensor of `model` has a gradient for a sum of its logits, by its path.
    fn gradients(model: &Model) -> BTreeMap<String, bool> {
        struct Visitor<'a> {
            path: Vec<String>,
            gradients: &'a Gradients,
            found: BTreeMap<String, bool>,
        }
        impl ModuleVisitor for Visitor<'_> {
            fn enter_module(&mut self, name: &str, _container: &str) {
                self.path.push(name.to_owned());
            }
            fn exit_module(&mut self, _name: &str, _container: &str) {
                self.path.pop();
            }
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let path = self.path.iter().skip(1).cloned().collect::<Vec<_>>().join(".");
                self.found.insert(path, param.val().grad(self.gradients).is_some());
            }
        }
        let inputs = Tensor::random([3, 4, 5, 3], Distribution::Default, &Device::default());
        let logits = model.forward(inputs.autodiff(), None);
        let gradients = &(logits.clone() * logits).sum().backward();
        let mut visitor = Visitor { path: Vec::new(), gradients, found: BTreeMap::new() };
        model.visit(&mut visitor);
        visitor.found
    }

    #[test]
    fn frozen_stages_have_no_gradients_and_keep_their_statistics() {
        let lite = ModelConfig::EfficientNetLite(EfficientNetLiteConfig::default());
        let mlp = MlpConfig { hidden: vec![7, 3], ..MlpConfig::default() };
        let cnn = CnnConfig { channels: vec![4, 3], hidden: vec![5], ..CnnConfig::default() };
        let resnet = ResnetConfig { channels: vec![4, 5], ..Default::default() };
        for config in
            [ModelConfig::Mlp(mlp), ModelConfig::Cnn(cnn), ModelConfig::Resnet(resnet), lite]
        {
            let init = ParameterInit::new(1, &Device::default().autodiff());
            let model = config.init([4, 5, 3], 6, init).unwrap();
            let layers = config.layers([4, 5, 3], 6).unwrap();
            let stages = config.stages().unwrap();
            assert_eq!(layers.last().unwrap().stage + 1, stages, "{config:?}");
            for frozen in 0..stages {
                let frozen_model = model.clone().freeze(frozen);
                let found = gradients(&frozen_model);
                for layer in &layers {
                    let tensors = layer.operations().flat_map(Operation::tensors);
                    for (path, _) in tensors.filter(|(path, _)| !path.contains("running")) {
                        let expected = layer.stage >= frozen;
                        assert_eq!(found[&path], expected, "{path}, {frozen} frozen: {config:?}");
                    }
                }
            }
            let backbone = |device: Device| {
                let init = ParameterInit::new(1, &device);
                config.init([4, 5, 3], 6, init).unwrap().freeze(stages - 1)
            };
            let frozen = backbone(Device::default().autodiff());
            gradients(&frozen);
            assert!(weights(frozen.valid()) == weights(backbone(Device::default())), "{config:?}");
        }
    }

    #[test]
    fn a_model_without_hidden_layers_is_softmax_regression() {
        let regression = ModelConfig::Mlp(MlpConfig { hidden: vec![], ..MlpConfig::default() });
        assert_eq!(model(&regression, 1).num_params(), 60 * 6 + 6);
    }
}
