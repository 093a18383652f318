use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;

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

    /// A data set of generated examples, without a validation set. Fails if they cannot be read.
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

/// Resizing of an image to another aspect ratio.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Scale height and width independently, as the courses do.
    #[default]
    Stretch,
    /// Crop the centre to the aspect ratio.
    Crop,
    /// Add black borders around the whole image.
    Pad,
}

impl Fit {
    /// Name in configs and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stretch => "stretch",
            Self::Crop => "crop",
            Self::Pad => "pad",
        }
    }
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// Examples to train on.
    Train,
    /// Examples to select the best model by.
    Validation,
    /// Examples to report the final scores on.
    Test,
}

impl SplitKind {
    /// All parts, in their usual order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The part whose scores are reported, of those for which `exists` is true: the test set,
    /// otherwise the validation set, otherwise the training set.
    pub fn reported(exists: impl Fn(Self) -> bool) -> Self {
        Self::ALL.into_iter().rev().find(|&kind| exists(kind)).unwrap_or(Self::Train)
    }

    /// Name in configs, files and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for SplitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SplitKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|split| split.as_str() == name);
        found.ok_or_else(|| format!("{name:?} is not train, validation or test"))
    }
}
