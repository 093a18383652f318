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
mod error;
mod examples;
mod loaded_dataset;
mod random;
mod row_source;
mod split;
mod statistics;

pub use augmentation::{Augmentation, Augmenter, Mix, RandomErasing, RandomResizedCrop};
pub use error::{DatasetError, SourceError};
pub use examples::{Examples, Origin, Values};
pub use loaded_dataset::{DatasetInfo, Fit, LoadedDataset, SplitKind};
pub use random::{BatchIndex, shuffled};
pub use row_source::{RowSource, StoredRows};
pub use split::{ExampleGroup, Split, SplitConfig, SplitIndices};
pub use statistics::{ChannelMoments, InputConfig, Normalization, Scaler, Statistics};
