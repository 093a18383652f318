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
