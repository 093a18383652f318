use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
