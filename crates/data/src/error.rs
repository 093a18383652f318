use std::error::Error;

use crate::split_kind::SplitKind;

/// Error of a data source, of any type.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Error of a data set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The split leaves a part without examples.
    #[error(
        "a {split} fraction of {fraction} leaves {rest} of {count} examples to train on and {held_out} to hold out\n  change `split.{split}_fraction`"
    )]
    EmptySplit {
        /// The part to be held out.
        split: SplitKind,
        /// Its fraction of the examples.
        fraction: f64,
        /// Number of examples in total.
        count: usize,
        /// Number of examples left to train on.
        rest: usize,
        /// Number of examples held out.
        held_out: usize,
    },
    /// Groups are found in file names, which the source does not know.
    #[error(
        "`split.group_pattern` finds groups in file names, and these data have none\n  use a folder of images, or HDF5 files with the manifest.csv that `trainer data import` writes beside them"
    )]
    NoFileNames,
    /// A part would be held out although the data set has it.
    #[error(
        "the data set has a {split} set of its own, so that none is held out of the training set\n  remove `split.{split}_fraction`"
    )]
    OwnSplit {
        /// The part.
        split: SplitKind,
    },
    /// Augmentation was configured for examples that are not images.
    #[error(
        "`augmentation` changes images, and these data are examples of {features} features\n  remove it from the config"
    )]
    NotAugmentable {
        /// Number of features of an example.
        features: usize,
    },
    /// An augmentation does not suit the images.
    #[error("{reason}\n  change or remove it in `augmentation`")]
    Augmentation {
        /// The conflict, in one sentence.
        reason: String,
    },
    /// A fixed normalization does not suit the examples.
    #[error(
        "`input` has a fixed mean and deviation of {fixed} channels of images, and the examples have {found}\n  change `mean` and `deviation`, or set `normalization = \"standardize\"`"
    )]
    FixedNormalization {
        /// Number of channels of the normalization.
        fixed: usize,
        /// Number of channels or features of the examples.
        found: String,
    },
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
