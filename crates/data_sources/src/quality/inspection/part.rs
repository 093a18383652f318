use data::{DatasetError, Examples, LoadedDataset, SplitConfig, SplitIndices, SplitKind};
use serde::Serialize;

/// A part of a data set, to be inspected.
#[derive(Debug)]
pub struct InspectedPart {
    /// The part.
    pub split: SplitKind,
    /// Its examples.
    pub examples: Examples,
    /// Where each stands in the file it comes from.
    pub indices: Vec<usize>,
}

/// Where an example stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExampleLocation {
    /// Its part.
    pub part: SplitKind,
    /// Its index in the file of the part.
    pub index: usize,
    /// The name of its class.
    pub class: String,
    /// Its index in the part.
    #[serde(skip)]
    pub item: usize,
}

impl InspectedPart {
    /// A part that is all of a file.
    pub fn whole(split: SplitKind, examples: Examples) -> Self {
        Self { split, indices: (0..examples.len()).collect(), examples }
    }

    /// The parts of `source` as the run with `seed` splits it, the training set first.
    ///
    /// # Errors
    ///
    /// If the split leaves a part with nothing in it.
    pub fn of(
        source: LoadedDataset,
        split: &SplitConfig,
        seed: u64,
    ) -> Result<Vec<Self>, DatasetError> {
        let SplitIndices { train, validation, test } = split.divide(&source, seed)?;
        let split = split.apply(source, seed)?;
        let of = |split, examples: Examples, indices: Vec<usize>| match indices.is_empty() {
            true => Self::whole(split, examples),
            false => Self { split, examples, indices },
        };
        let validation =
            split.validation.map(|examples| of(SplitKind::Validation, examples, validation));
        let train = of(SplitKind::Train, split.train, train);
        Ok([Some(train), validation, Some(of(SplitKind::Test, split.test, test))]
            .into_iter()
            .flatten()
            .collect())
    }

    pub(super) fn location(&self, item: usize, classes: &[String]) -> ExampleLocation {
        let label = self.examples.labels.get(item).copied().unwrap_or_default();
        let class = classes.get(label as usize).cloned().unwrap_or_else(|| label.to_string());
        let index = self.indices.get(item).copied().unwrap_or(item);
        ExampleLocation { part: self.split, index, class, item }
    }
}
