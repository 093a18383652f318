use data::{DatasetError, Examples, LoadedDataset, Split, SplitConfig, SplitIndices, SplitKind};
use serde::Serialize;

use crate::quality::splitting::Splitting;

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

    /// The splits of `source` in a run with `seed`, the training set first.
    ///
    /// # Errors
    ///
    /// If a split would be empty.
    pub fn of(
        source: LoadedDataset,
        split: &SplitConfig,
        seed: u64,
    ) -> Result<Vec<Self>, DatasetError> {
        let indices = Splitting::of_run(split, seed).divide_or_cut(&source)?.indices;
        let split = Split::new(source, &indices);
        let SplitIndices { train, validation, test } = indices;
        let mut splits = vec![Self::new(SplitKind::Train, split.train, train)];
        let validation_set =
            split.validation.map(|examples| Self::new(SplitKind::Validation, examples, validation));
        splits.extend(validation_set);
        splits.extend(split.test.map(|examples| Self::new(SplitKind::Test, examples, test)));
        Ok(splits)
    }

    /// A split with the indices of its examples, or a whole file if there are none.
    fn new(split: SplitKind, examples: Examples, indices: Vec<usize>) -> Self {
        if indices.is_empty() {
            Self::whole(split, examples)
        } else {
            Self { split, examples, indices }
        }
    }

    pub(super) fn location(&self, item: usize, classes: &[String]) -> ExampleLocation {
        let label = self.examples.labels.get(item).copied().unwrap_or_default();
        let class = classes.get(label as usize).cloned().unwrap_or_else(|| label.to_string());
        let index = self.indices.get(item).copied().unwrap_or(item);
        let file = self.examples.origins.get(item).map(|origin| origin.file.to_string());
        ExampleLocation { part: self.split, index, file, class, item }
    }
}
