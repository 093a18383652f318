use std::collections::BTreeMap;

use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::files::Hdf5Config;
use crate::points::PointsConfig;
use crate::stand_in::StandInConfig;

/// Where the examples come from: `[dataset.hdf5]`, `[dataset.points]` or `[dataset.stand_in]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DatasetConfig {
    /// HDF5 files in the layout of the courses.
    Hdf5(Hdf5Config),
    /// Points in the plane, by formula.
    Points(PointsConfig),
    /// What the program draws itself in place of real data.
    StandIn(StandInConfig),
}

/// The parts of a data set as their source divides them.
#[derive(Debug)]
pub struct Source {
    /// The training set.
    pub train: Examples,
    /// The validation set, where the source has one.
    pub validation: Option<Examples>,
    /// The test set, where the source has one.
    pub test: Option<Examples>,
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether any of it is drawn in place of real data.
    pub stand_in: bool,
    /// SHA-256 of each part: of the file, or of the content where it was drawn.
    pub sha256: BTreeMap<String, String>,
}

impl Source {
    /// A drawn training and test set.
    pub fn drawn(
        train: Examples,
        test: Examples,
        classes: &[&str],
        stand_in: bool,
    ) -> Result<Self, DatasetError> {
        let sha256 = [("train", &train), ("test", &test)].into_iter();
        let sha256 = sha256.map(|(name, part)| Ok((name.to_owned(), part.sha256()?)));
        Ok(Self {
            stand_in,
            sha256: sha256.collect::<Result<BTreeMap<_, _>, DatasetError>>()?,
            train,
            validation: None,
            test: Some(test),
            classes: classes.iter().map(|&name| name.to_owned()).collect(),
        })
    }
}

impl DatasetConfig {
    /// What this config means here and now, see [`Hdf5Config::resolve`].
    pub fn resolve(&self) -> Result<Self, DatasetError> {
        match self {
            Self::Hdf5(config) => config.resolve(),
            drawn => Ok(drawn.clone()),
        }
    }

    /// Reads or draws the data set.
    pub fn load(&self) -> Result<Source, DatasetError> {
        match self {
            Self::Hdf5(config) => config.load(),
            Self::Points(config) => config.load(),
            Self::StandIn(config) => config.draw(),
        }
    }

    /// Whether the source has a validation set of its own.
    pub fn has_validation(&self) -> bool {
        matches!(self, Self::Hdf5(config) if config.validation.is_some())
    }

    /// Whether the source has a test set of its own.
    pub fn has_test(&self) -> bool {
        !matches!(self, Self::Hdf5(config) if config.test.is_none())
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        match self {
            Self::Hdf5(config) => check.table("hdf5", |check| config.check(check)),
            Self::Points(config) => check.table("points", |check| config.check(check)),
            Self::StandIn(config) => check.table("stand_in", |check| config.check(check)),
        }
    }
}
