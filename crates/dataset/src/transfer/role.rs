use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::TransferError;
use super::error::some;
use super::listing::Listing;
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

/// Several folders with the names of parts are those parts; others are all looked into.
pub fn roles(folders: &[PathBuf]) -> Vec<(Option<Role>, &PathBuf)> {
    let role = |folder: &PathBuf| {
        let absolute = std::path::absolute(folder).ok()?;
        Role::of_folder(absolute.file_name()?.to_str()?)
    };
    let roles: Option<Vec<Role>> = folders.iter().map(role).collect();
    let roles =
        roles.filter(|roles| folders.len() > 1 && BTreeSet::from_iter(roles).len() == roles.len());
    match roles {
        Some(roles) => roles.into_iter().map(Some).zip(folders).collect(),
        None => folders.iter().map(|folder| (None, folder)).collect(),
    }
}

/// The parts that a folder holds: all of its folders are named as parts, and training images are
/// among them.
pub fn parts(listing: &Listing) -> Result<Option<Vec<(Role, PathBuf)>>, TransferError> {
    let roles = listing.folders.iter().map(|name| Role::of_folder(name));
    let Some(roles) = roles.collect::<Option<Vec<Role>>>().filter(|roles| !roles.is_empty()) else {
        return Ok(None);
    };
    if !listing.images.is_empty() {
        return Ok(None);
    }
    if BTreeSet::from_iter(&roles).len() < roles.len() {
        let found = format!("several of its folders ({}) are one part", some(&listing.folders));
        return Err(TransferError::form(&listing.path, found, "put them together"));
    }
    let folders = listing.folders.iter().map(|name| listing.path.join(name));
    Ok(Some(roles.into_iter().zip(folders).collect()))
}
