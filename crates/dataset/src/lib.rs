//! Sources in, batches out: labelled images in host memory, how they are split, in which order
//! they are visited and how they are normalised.
//!
//! A data source is one file with its config above it and one variant of [`DatasetConfig`].

mod digest;
mod error;
pub mod hands;
pub mod hdf5;
mod images;
mod sampler;
mod source;
mod split;
mod statistics;

pub use digest::sha256;
pub use error::DatasetError;
pub use images::LabelledImages;
pub use sampler::shuffled;
pub use source::{DatasetConfig, Hdf5Config, OnMissing, Source, StandInConfig};
pub use split::{Split, SplitConfig};
pub use statistics::{Normalization, Statistics};
