use data::{DatasetError, SourceError};
use serde::{Deserialize, Serialize};

/// Data that a program passes to the library: `[dataset.external]`. The command line cannot load
/// them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalConfig {
    /// Whether they have a validation set.
    pub validation: bool,
    /// Whether they have a test set.
    pub test: bool,
}

impl ExternalConfig {
    /// The error of loading them.
    pub fn error(&self) -> DatasetError {
        let message = "the data of `[dataset.external]` come from the program that made the run\n  \
                       use that program";
        DatasetError::Source(SourceError::from(message))
    }
}
