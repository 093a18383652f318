//! Data sources of a config, checks of data quality and conversion between formats.
//!
//! - [`sources`]: the variants of [`DatasetConfig`] and how each loads its data set.
//! - [`quality`]: near-duplicates and the inspection of a data set.
//! - [`convert`]: import of image folders, export to them, and the split of a file into several.
//! - [`read_image`]: image files as pixels.

pub mod convert;
mod image_file;
pub mod quality;
pub mod sources;

pub use image_file::{Fit, ImageFileError, read_image};
pub use sources::{
    DatasetConfig, ExternalConfig, Hdf5Config, OnMissing, PointsConfig, Shape, Subject,
    SyntheticConfig,
};
