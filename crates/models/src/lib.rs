//! Image classifiers: functions from images or features to logits, without data loading or I/O.
//!
//! Each model has one file with its config, one variant of [`ModelConfig`] and one of [`Model`].
//! Other crates add models as [`CustomModel`]s. Initial parameters depend on the seed only, so that a run starts with the same bits on every
//! backend.

#![forbid(unsafe_code)]

mod activation;
mod batch_norm;
mod cnn;
mod convolution;
mod custom_model;
mod dropout;
mod efficientnet_lite;
mod erased;
mod initializer;
mod layer;
mod linear;
mod mlp;
mod model;
mod model_registry;
mod parameter_init;
mod resnet;

pub use activation::Activation;
pub use cnn::{Cnn, CnnConfig, ImageHead, Pool};
pub use custom_model::CustomModel;
pub use dropout::DropoutRng;
pub use efficientnet_lite::{EfficientNetLite, EfficientNetLiteConfig};
pub use erased::BoxedModel;
pub use initializer::{Generator, Initializer};
pub use layer::{Layer, Operation};
pub use mlp::{Mlp, MlpConfig, NormPosition};
pub use model::{Library, Model, ModelConfig};
pub use model_registry::{CustomModelConfig, ModelRegistry, UnknownModel};
pub use parameter_init::{ParameterInit, WeightInit};
pub use resnet::{BlockCounts, BlockKind, Resnet, ResnetConfig, StemReduction};
