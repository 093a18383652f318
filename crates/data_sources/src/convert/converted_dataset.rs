use std::path::PathBuf;

use data::SplitKind;
use serde::Serialize;

use crate::quality::{GroupStatistics, MissingClass};

/// One split of a converted data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConvertedSplit {
    /// The split.
    pub part: SplitKind,
    /// Its file or folder.
    pub path: PathBuf,
    /// Number of examples.
    pub count: usize,
    /// Number of examples of each class, in the order of the labels.
    pub classes: Vec<usize>,
}

/// Groups of near-duplicates, each kept in one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateGroups {
    /// Number and sizes of the groups.
    #[serde(flatten)]
    pub statistics: GroupStatistics,
    /// Classes missing from a split because their groups are larger than the held-out fraction.
    pub missing_classes: Vec<MissingClass>,
}

/// A data set that a conversion wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConvertedDataset {
    /// Shape of an example: `[height, width, channels]` of images, `[1, 1, count]` of features.
    pub shape: [usize; 3],
    /// Whether the examples are images.
    pub are_images: bool,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether the data are synthetic.
    pub synthetic: bool,
    /// The splits.
    pub parts: Vec<ConvertedSplit>,
    /// Groups of near-duplicates, each kept in one split; `None` if they were not searched for.
    pub duplicate_groups: Option<DuplicateGroups>,
}

impl ConvertedSplit {
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
