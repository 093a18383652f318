//! Data sources of a config, checks of data quality and conversion between formats.
//!
//! - [`sources`]: the variants of [`DatasetConfig`] and how each loads its data set.
//! - [`quality`]: near-duplicates and the inspection of a data set.
//! - [`convert`]: import of image folders, export to them, and the split of a file into several.
//! - [`images`]: image files, their folders, labels and pixels.

pub mod convert;
pub mod images;
mod manifest;
pub mod quality;
pub mod sources;

pub use sources::{
    DatasetConfig, ExternalConfig, FolderConfig, Hdf5Config, ImageSize, OnMissing, PointsConfig,
    Shape, Subject, SyntheticConfig,
};
