//! Data sources: `[dataset.hdf5]`, `[dataset.points]` and `[dataset.synthetic]`.

mod error;
mod external;
mod hdf5_files;
mod points;
mod synthetic;
#[cfg(test)]
mod tests;

pub use self::error::FilesError;
pub use self::external::ExternalConfig;
pub use self::hdf5_files::{Hdf5Config, OnMissing};
pub use self::points::{PointsConfig, Shape};
pub use self::synthetic::{Subject, SyntheticConfig};
#[cfg(test)]
pub(crate) use self::synthetic::{cats, hands};

use config::Check;
use data::{DatasetError, DatasetInfo, LoadedDataset};
use serde::{Deserialize, Serialize};

/// Source of the examples: `[dataset.hdf5]`, `[dataset.points]`, `[dataset.synthetic]` or
/// `[dataset.external]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DatasetConfig {
    /// HDF5 files in the layout of the courses.
    Hdf5(Hdf5Config),
    /// Points in the plane, by formula.
    Points(PointsConfig),
    /// Synthetic data in place of real data.
    Synthetic(SyntheticConfig),
    /// Data that a program passes to the library.
    External(ExternalConfig),
}

impl DatasetConfig {
    /// Resolves the directory and the environment variable of HDF5 files, and replaces missing files
    /// by synthetic data if the config allows it.
    ///
    /// # Errors
    ///
    /// If a file is missing and may not be replaced.
    pub fn resolve(&self) -> Result<Self, DatasetError> {
        match self {
            Self::Hdf5(config) => Ok(match config.resolve()? {
                Some(resolved) => Self::Hdf5(resolved),
                None => Self::Synthetic(config.synthetic.clone()),
            }),
            generated => Ok(generated.clone()),
        }
    }

    /// Reads or generates the data set.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the parts do not belong together.
    pub fn load(&self) -> Result<LoadedDataset, DatasetError> {
        match self {
            Self::Hdf5(config) => config.load(),
            Self::Points(config) => config.load(),
            Self::Synthetic(config) => config.load(),
            Self::External(config) => Err(config.error()),
        }
    }

    /// Describes the training set of a resolved config. Of files, only structure and labels are read.
    ///
    /// # Errors
    ///
    /// If the file of the training set cannot be read.
    pub fn info(&self) -> Result<DatasetInfo, DatasetError> {
        match self {
            Self::Hdf5(config) => config.info(),
            Self::Points(config) => Ok(config.info()),
            Self::Synthetic(config) => Ok(config.info()),
            Self::External(config) => Err(config.error()),
        }
    }

    /// Returns whether the source has a validation set.
    pub fn has_validation(&self) -> bool {
        match self {
            Self::Hdf5(config) => config.validation.is_some(),
            Self::External(config) => config.validation,
            Self::Points(_) | Self::Synthetic(_) => false,
        }
    }

    /// Returns whether the source has a test set.
    pub fn has_test(&self) -> bool {
        match self {
            Self::Hdf5(config) => config.test.is_some(),
            Self::External(config) => config.test,
            Self::Points(_) | Self::Synthetic(_) => true,
        }
    }

    /// Reports invalid values.
    pub fn check(&self, check: &mut Check) {
        match self {
            Self::Hdf5(config) => check.table("hdf5", |check| config.check(check)),
            Self::Points(config) => check.table("points", |check| config.check(check)),
            Self::Synthetic(config) => check.table("synthetic", |check| config.check(check)),
            Self::External(_) => {}
        }
    }
}
