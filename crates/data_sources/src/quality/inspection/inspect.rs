use data::{DatasetError, Examples, SplitKind};
use serde::Serialize;

use super::duplicate_pairs::{self, DuplicatePair};
use super::inspected_split::{ExampleLocation, InspectedSplit};
use super::statistics::{self, SplitStatistics};
use super::suspect_labels::{self, SuspectLabels};
use crate::quality::near_duplicates::{Measure, NearDuplicateIndex};
use crate::quality::phantom_classes;

/// Contents of a data set and its problems.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Shape of an example: `[height, width, channels]` of images, `[1, 1, count]` of features.
    pub shape: [usize; 3],
    /// Whether the examples are images.
    pub are_images: bool,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Statistics of each split.
    pub parts: Vec<SplitStatistics>,
    /// Images whose pixels are all equal.
    pub blank: Vec<ExampleLocation>,
    /// Equal examples within a split: each with the first that is equal to it.
    pub duplicates: Vec<DuplicatePair>,
    /// Equal and near-duplicate examples across splits.
    pub near_duplicates: Vec<DuplicatePair>,
    /// Likely mistakes that do not invalidate a score, one sentence each.
    pub warnings: Vec<String>,
    /// Labels that contradict those of the nearest images; `None` without a training set of images.
    pub suspect_labels: Option<SuspectLabels>,
}

impl Inspection {
    /// Inspects splits. The training set, if any, is the first.
    ///
    /// # Errors
    ///
    /// If examples are in a file that cannot be read.
    pub fn of(parts: &[InspectedSplit], classes: &[String]) -> Result<Self, DatasetError> {
        let shape = parts.first().map_or([0; 3], |part| part.examples.shape);
        let are_images = parts.first().is_some_and(|part| part.examples.are_images());
        let statistics = parts.iter().map(|part| statistics::of(part, classes.len()));
        let all: Vec<&Examples> = parts.iter().map(|part| &part.examples).collect();
        let measure = Measure::fit(&all)?;
        let indexes = parts.iter().map(|part| match &measure {
            Some(measure) => NearDuplicateIndex::new(&part.examples, measure),
            None => Ok(None),
        });
        let indexes: Vec<Option<NearDuplicateIndex>> = indexes.collect::<Result<_, _>>()?;
        let found = duplicate_pairs::of(parts, &indexes, classes)?;
        Ok(Self {
            shape,
            are_images,
            classes: classes.to_vec(),
            parts: statistics.collect::<Result<_, _>>()?,
            blank: statistics::blank(parts, classes)?,
            duplicates: found.duplicates,
            near_duplicates: found.near_duplicates,
            warnings: class_warnings(parts, classes),
            suspect_labels: suspect_labels::of(parts, &indexes, classes)?,
        })
    }

    /// Problems that invalidate scores, one line each: leaks between splits and conflicting labels.
    pub fn problems(&self) -> Vec<String> {
        let near_duplicates =
            self.near_duplicates.chunk_by(|one, other| one.parts() == other.parts());
        let leaks = near_duplicates.filter_map(|near_duplicates| {
            let (pair, count) = (near_duplicates.first()?, near_duplicates.len());
            let [part, of] = pair.parts();
            Some(match count {
                1 => format!("1 {part} example has a near-duplicate in the {of} set"),
                _ => format!("{count} {part} examples have near-duplicates in the {of} set"),
            })
        });
        let both = self.duplicates.iter().chain(&self.near_duplicates);
        let conflicts = both.filter(|pair| !pair.labels_agree()).count();
        let conflicts = match conflicts {
            0 => None,
            1 => {
                Some("1 pair of equal or near-duplicate examples has conflicting labels".to_owned())
            }
            _ => Some(format!(
                "{conflicts} pairs of equal or near-duplicate examples have conflicting labels"
            )),
        };
        leaks.chain(conflicts).collect()
    }
}

/// Classes without training examples.
fn class_warnings(parts: &[InspectedSplit], classes: &[String]) -> Vec<String> {
    let train = parts.iter().find(|part| part.split == SplitKind::Train);
    train.map_or(Vec::new(), |train| {
        phantom_classes::class_warnings(&train.examples.labels, classes)
    })
}
