//! Inspection of a data set before training: contents and problems.

mod duplicate_pairs;
mod findings;
mod statistics;
mod suspect_labels;
#[cfg(test)]
mod tests;

pub use duplicate_pairs::DuplicatePair;
pub use findings::{Finding, Problem, write_csv};
pub use statistics::{ChannelStatistics, Histogram, SplitStatistics};
pub use suspect_labels::{SuspectLabel, SuspectLabels};

use data::{DatasetError, Examples, LoadedDataset, Split, SplitConfig, SplitIndices, SplitKind};
use serde::Serialize;

use super::near_duplicates::{Measure, NearDuplicateIndex};
use super::phantom_classes::class_warning;
use super::splitting::Splitting;

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
    /// Inspects splits. The training set, if any, is the first. Fails if examples are in a file that cannot
    /// be read.
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
        let (duplicates, near_duplicates) = duplicate_pairs::of(parts, &indexes, classes)?;
        let train = parts.iter().find(|part| part.split == SplitKind::Train);
        Ok(Self {
            shape,
            are_images,
            classes: classes.to_vec(),
            parts: statistics.collect::<Result<_, _>>()?,
            blank: statistics::blank(parts, classes)?,
            duplicates,
            near_duplicates,
            warnings: train
                .and_then(|train| class_warning(&train.examples.labels, classes))
                .into_iter()
                .collect(),
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

/// A split of a data set for inspection.
#[derive(Debug)]
pub struct InspectedSplit {
    /// The split.
    pub split: SplitKind,
    /// Examples.
    pub examples: Examples,
    /// Index of each example in its source file.
    pub indices: Vec<usize>,
}

/// Location of an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExampleLocation {
    /// Its split.
    pub part: SplitKind,
    /// Index in the file of the split.
    pub index: usize,
    /// Path of its original file, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Name of its class.
    pub class: String,
    /// Index in the split.
    #[serde(skip)]
    pub item: usize,
}

impl InspectedSplit {
    /// A split that is a whole file.
    pub fn whole(split: SplitKind, examples: Examples) -> Self {
        Self { split, indices: (0..examples.len()).collect(), examples }
    }

    /// The splits of `source` in a run with `seed`, the training set first. Fails if a split would be
    /// empty.
    pub fn of(
        source: LoadedDataset,
        split: &SplitConfig,
        seed: u64,
    ) -> Result<Vec<Self>, DatasetError> {
        let indices = Splitting::of_run(split, seed).divide_or_cut(&source)?.indices;
        let split = Split::new(source, &indices);
        let SplitIndices { train, validation, test } = indices;
        let parts = [
            (SplitKind::Train, Some(split.train), train),
            (SplitKind::Validation, split.validation, validation),
            (SplitKind::Test, split.test, test),
        ];
        let parts = parts.into_iter().filter_map(|(split, examples, indices)| match examples? {
            // From a file of its own.
            examples if indices.is_empty() => Some(Self::whole(split, examples)),
            examples => Some(Self { split, examples, indices }),
        });
        Ok(parts.collect())
    }

    fn location(&self, item: usize, classes: &[String]) -> ExampleLocation {
        let label = self.examples.labels.get(item).copied().unwrap_or_default();
        let class = classes.get(label as usize).cloned().unwrap_or_else(|| label.to_string());
        let index = self.indices.get(item).copied().unwrap_or(item);
        let file = self.examples.origins.get(item).map(|origin| origin.file.to_string());
        ExampleLocation { part: self.split, index, file, class, item }
    }
}
