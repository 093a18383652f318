//! Data sets brought from one form into another: folders of image files to HDF5 files and back, and
//! one file to a file for each part.
//!
//! Whatever is made appears whole or not at all, and never in place of something else.

mod error;
mod export;
mod folders;
mod groups;
mod import;
mod listing;
mod made;
mod marker_files;
mod natural;
mod new_directory;
mod partition;
mod progress;
mod reading;
mod split_folders;
#[cfg(test)]
mod tests;

pub use error::{ConvertError, UnusableImage};
pub use export::Export;
pub use groups::{DuplicateGroups, MissingClass};
pub use import::{Import, Imported};
pub use made::{MadePart, MadeSet};
pub use partition::Partition;
pub use progress::ProgressCallback;
