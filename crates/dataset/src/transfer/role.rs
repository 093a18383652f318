use serde::Serialize;

use crate::hdf5::Part;

/// What a part of a data set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// To train on.
    Train,
    /// To choose the best model by.
    Validation,
    /// To report on.
    Test,
}

impl Role {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The one that a folder of this name is for.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }

    /// The name of its HDF5 file.
    pub(super) fn file(self) -> String {
        format!("{}.h5", self.as_str())
    }

    /// Which data sets of an HDF5 file hold it.
    pub(super) fn set(self) -> Part {
        match self {
            Self::Train | Self::Validation => Part::Train,
            Self::Test => Part::Test,
        }
    }
}
