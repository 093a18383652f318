//! Conversion between data formats: import of image folders to HDF5 files, export to image folders,
//! and the split of one file into one file per split.
//!
//! Output is written atomically and never replaces existing files.

mod cleaning;
mod dataset_writer;
mod error;
mod export;
mod import;
mod new_output;
mod partition;
#[cfg(test)]
mod tests;

pub use cleaning::Cleaning;
pub use dataset_writer::{ConvertedDataset, ConvertedSplit, DuplicateGroups};
pub use error::{ConvertError, ProgressCallback};
pub use export::Export;
pub use import::{Import, ImportedDataset};
