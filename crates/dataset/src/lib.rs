//! Sources in, batches out: labelled examples in host memory, how they are split, in which order
//! they are visited and how they are normalised.
//!
//! A data source is one file with its config above it and one variant of [`DatasetConfig`].

mod augmentation;
mod cats;
mod digest;
mod drawing;
mod error;
mod examples;
mod files;
mod hands;
pub mod hdf5;
mod image_file;
mod inspection;
pub mod memory;
mod outline;
mod points;
mod sampler;
mod scaler;
mod source;
mod split;
mod stand_in;
mod statistics;
mod transfer;
mod twins;
mod work;

pub use augmentation::{Augmentation, Augmenter, Mix, Moment};
pub use digest::sha256;
pub use error::DatasetError;
pub use examples::{Examples, Values};
pub use files::{Hdf5Config, OnMissing};
pub use image_file::{Fit, ImageFileError, read_image};
pub use inspection::{
    ChannelFacts, Doubt, Doubts, Histogram, InspectedPart, Inspection, Pair, PartFacts, Place,
};
pub use outline::Outline;
pub use points::{PointsConfig, Shape};
pub use sampler::shuffled;
pub use scaler::Scaler;
pub use source::{DatasetConfig, Source};
pub use split::{Division, Split, SplitConfig};
pub use stand_in::{StandInConfig, Subject};
pub use statistics::{Normalization, Statistics};
pub use transfer::{
    Export, Import, Imported, Lacking, MadePart, MadeSet, Partition, Role, Together, TransferError,
    UnusableImage, Watch,
};
pub use twins::{Album, Twin, Twins};
pub use work::{Standing, Work};
