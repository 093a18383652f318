//! Labelled examples and what is done to them in host memory before they become tensors.
//!
//! - [`Examples`]: labels and values, in memory or behind a [`RowSource`] of any format.
//! - [`LoadedDataset`], [`SplitConfig`], [`Split`]: the parts of a data set, see [`SplitKind`].
//! - [`shuffled`]: the order of the examples in an epoch.
//! - [`InputConfig`], [`Normalization`], [`Statistics`], [`Scaler`]: input normalization.
//! - [`Augmentation`], [`Augmenter`]: random changes of training images.
//!
//! Nothing here reads a file: `data_sources` turns a config into a [`LoadedDataset`].

mod augmentation;
mod concatenation;
mod error;
mod examples;
mod fit;
mod input;
mod loaded_dataset;
mod moments;
mod origin;
mod pixel;
mod row_source;
mod sampler;
mod scaler;
mod split;
mod split_kind;
mod statistics;

pub use augmentation::{
    Augmentation, Augmenter, BatchIndex, Mix, RandomErasing, RandomResizedCrop,
};
pub use error::{DatasetError, SourceError};
pub use examples::{Examples, Values};
pub use fit::Fit;
pub use input::InputConfig;
pub use loaded_dataset::{DatasetInfo, LoadedDataset};
pub use moments::ChannelMoments;
pub use origin::Origin;
pub use row_source::{RowSource, Rows, StoredRows};
pub use sampler::shuffled;
pub use scaler::Scaler;
pub use split::{ExampleGroup, Split, SplitConfig, SplitIndices};
pub use split_kind::SplitKind;
pub use statistics::{Normalization, Statistics};
