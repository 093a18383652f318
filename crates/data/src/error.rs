use std::error::Error;

use crate::loaded_dataset::SplitKind;

/// Error of a data source, of any type.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Error of a data set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The split holds no example out.
    #[error(
        "a {split} fraction of {fraction} leaves {count} of {count} examples to train on and 0 to hold out\n  change `split.{split}_fraction`"
    )]
    EmptySplit {
        /// The part to be held out.
        split: SplitKind,
        /// Its fraction of the examples.
        fraction: f64,
        /// Number of examples in total.
        count: usize,
    },
    /// An augmentation does not suit the examples, with a remedy on a second line.
    #[error("{0}")]
    Augmentation(String),
    /// Another part of the config does not suit the data, with a remedy on a second line.
    #[error("{0}")]
    Unsuitable(String),
    /// The data source failed.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl DatasetError {
    /// Wraps an error of a data source.
    pub fn source(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Source(Box::new(error))
    }
}
