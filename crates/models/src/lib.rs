//! Images or features to logits, nothing else: knows no data, no config file, no disk.
//!
//! A model is one file with its config above it, one variant of [`ModelConfig`] and one of
//! [`Model`]. Initial parameters are a function of the seed alone, so that a run starts with the
//! same bits on every backend.

#![forbid(unsafe_code)]

mod activation;
mod batch_norm;
mod cnn;
mod convolution;
mod dense;
mod initializer;
mod layer;
mod mlp;
mod model;
mod noise;
mod parameters;
mod resnet;

pub use activation::Activation;
pub use cnn::{Cnn, CnnConfig, ImageHead, Pool};
pub use initializer::{Generator, Initializer};
pub use layer::Layer;
pub use mlp::{Mlp, MlpConfig, NormPosition};
pub use model::{Model, ModelConfig};
pub use noise::Noise;
pub use parameters::{FirstWeights, Parameters};
pub use resnet::{Resnet, ResnetConfig};
