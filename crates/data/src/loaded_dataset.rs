use std::collections::BTreeMap;

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::fit::Fit;
use crate::split_kind::SplitKind;

/// A data set as its source provides it, before it is split for a run.
#[derive(Debug)]
pub struct LoadedDataset {
    /// The training set.
    pub train: Examples,
    /// The validation set, if the source has one.
    pub validation: Option<Examples>,
    /// The test set, if the source has one.
    pub test: Option<Examples>,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether any of it is synthetic, in place of real data.
    pub synthetic: bool,
    /// SHA-256 of each part by name: of its file, or of the content of generated examples.
    pub sha256: BTreeMap<String, String>,
    /// How its images were resized, if it is known.
    pub fit: Option<Fit>,
    /// What was inferred about the source, one sentence each.
    pub notes: Vec<String>,
    /// Likely mistakes in the data that do not prevent their use, one sentence each.
    pub warnings: Vec<String>,
}

/// Properties of the examples of a data set, known before their values are read or generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetInfo {
    /// Height, width and channels of an image; 1, 1 and the number of features otherwise.
    pub shape: [usize; 3],
    /// Whether the examples are images, and not feature vectors.
    pub are_images: bool,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether the examples are synthetic, in place of real data.
    pub synthetic: bool,
    /// Number of examples of the training set.
    pub count: usize,
}

impl LoadedDataset {
    /// A data set of real examples that has a training set alone.
    pub fn of_training_set(train: Examples, classes: Vec<String>) -> Self {
        Self {
            train,
            validation: None,
            test: None,
            classes,
            synthetic: false,
            sha256: BTreeMap::new(),
            fit: None,
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A data set of generated examples, without a validation set.
    ///
    /// # Errors
    ///
    /// If the examples cannot be read.
    pub fn generated(
        train: Examples,
        test: Examples,
        classes: &[&str],
        synthetic: bool,
    ) -> Result<Self, DatasetError> {
        let mut sha256 = BTreeMap::new();
        for (split, examples) in [(SplitKind::Train, &train), (SplitKind::Test, &test)] {
            sha256.insert(split.as_str().to_owned(), examples.sha256()?);
        }
        let classes = classes.iter().map(|&name| name.to_owned()).collect();
        let unsplit = Self::of_training_set(train, classes);
        Ok(Self { test: Some(test), synthetic, sha256, ..unsplit })
    }

    /// The parts that the source has, in their usual order.
    pub fn parts(&self) -> Vec<(SplitKind, &Examples)> {
        let parts = [Some(&self.train), self.validation.as_ref(), self.test.as_ref()];
        let parts = SplitKind::ALL.into_iter().zip(parts);
        parts.filter_map(|(split, part)| Some((split, part?))).collect()
    }
}
