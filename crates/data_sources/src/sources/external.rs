use data::{DatasetError, SourceError};
use serde::{Deserialize, Serialize};

/// Data that a program passes to the library: `[dataset.external]`. They cannot be loaded from the
/// config alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalConfig {
    /// Whether the data have a validation set.
    pub validation: bool,
    /// Whether the data have a test set.
    pub test: bool,
}

impl ExternalConfig {
    /// Error of loading the data from the config alone.
    pub fn error(&self) -> DatasetError {
        let message = "`[dataset.external]` is data that another program passes to the library\n  \
                       use the program that created the run";
        DatasetError::Source(SourceError::from(message))
    }
}
