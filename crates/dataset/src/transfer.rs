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
mod natural;
mod new_directory;
mod partition;
mod reading;
mod role;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde::Serialize;

pub use error::{TransferError, UnusableImage};
pub use export::Export;
pub use groups::{Lacking, Together};
pub use import::{Import, Imported};
pub use partition::Partition;
pub use role::Role;

/// Told what is done, and how much of how much of it; it says whether to go on.
pub type Watch<'a> = dyn FnMut(&'static str, usize, usize) -> ControlFlow<()> + 'a;

/// A part of a data set that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadePart {
    /// What it is for.
    pub part: Role,
    /// Its file or folder.
    pub path: PathBuf,
    /// The number of its examples.
    pub count: usize,
    /// The number of those of each class.
    pub classes: Vec<usize>,
}

/// A data set that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadeSet {
    /// Height, width and channels of every image; 1, 1 and their number for plain features.
    pub shape: [usize; 3],
    /// Whether they are images.
    pub are_images: bool,
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether the examples are drawn in place of real data.
    pub stand_in: bool,
    /// Its parts.
    pub parts: Vec<MadePart>,
    /// What was kept together in one part; none if twins were not looked for.
    pub together: Option<Together>,
}

impl MadePart {
    fn new(part: Role, path: PathBuf, labels: impl Iterator<Item = u32>, classes: usize) -> Self {
        let mut counts = vec![0; classes];
        for label in labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        Self { part, path, count: counts.iter().sum(), classes: counts }
    }
}

/// Asks whether to go on.
fn watched(
    watch: &mut Watch,
    doing: &'static str,
    done: usize,
    total: usize,
) -> Result<(), TransferError> {
    match watch(doing, done, total) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(TransferError::Stopped),
    }
}

/// The file in a folder of images that names the classes in the order of their labels, a line each.
const CLASSES: &str = "classes.txt";

/// The file that marks a folder of images as drawn in place of real data.
const STAND_IN: &str = "drawn_by_trainer";
