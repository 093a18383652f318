use std::path::PathBuf;

use data::SplitKind;
use serde::Serialize;

use super::groups::DuplicateGroups;

/// A part of a data set that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadePart {
    /// What it is for.
    pub part: SplitKind,
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
    pub synthetic: bool,
    /// Its parts.
    pub parts: Vec<MadePart>,
    /// What was kept together in one part; none if twins were not looked for.
    pub duplicate_groups: Option<DuplicateGroups>,
}

impl MadePart {
    pub(super) fn new(
        part: SplitKind,
        path: PathBuf,
        labels: impl Iterator<Item = u32>,
        classes: usize,
    ) -> Self {
        let mut counts = vec![0; classes];
        for label in labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        Self { part, path, count: counts.iter().sum(), classes: counts }
    }
}
