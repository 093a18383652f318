//! Conversion between data formats: import of image folders to HDF5 files, export to image folders,
//! and the split of one file into one file per split.
//!
//! Output is written atomically and never replaces existing files.

mod cleaning;
mod converted_dataset;
mod error;
mod export;
mod image_conversion;
mod import;
mod new_directory;
mod part_writer;
mod partition;
mod progress;
#[cfg(test)]
mod tests;

pub use cleaning::Cleaning;
pub use converted_dataset::{ConvertedDataset, ConvertedSplit, DuplicateGroups};
pub use error::ConvertError;
pub use export::Export;
pub use import::{Import, ImportedDataset};
pub use partition::Partition;
pub use progress::ProgressCallback;
