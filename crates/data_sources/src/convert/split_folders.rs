use std::collections::BTreeSet;
use std::path::PathBuf;

use data::SplitKind;

use super::error::{ConvertError, some};
use super::listing::Listing;

/// Returns the part that a folder with this name stands for.
pub fn split_of_folder(name: &str) -> Option<SplitKind> {
    match name.to_lowercase().as_str() {
        "train" | "training" => Some(SplitKind::Train),
        "val" | "valid" | "validation" | "dev" => Some(SplitKind::Validation),
        "test" | "testing" => Some(SplitKind::Test),
        _ => None,
    }
}

/// Name of the HDF5 file of a part.
pub fn file_name(split: SplitKind) -> String {
    format!("{split}.h5")
}

/// Several folders with the names of parts are those parts; others are all looked into.
pub fn roles(folders: &[PathBuf]) -> Vec<(Option<SplitKind>, &PathBuf)> {
    let split = |folder: &PathBuf| {
        let absolute = std::path::absolute(folder).ok()?;
        split_of_folder(absolute.file_name()?.to_str()?)
    };
    let roles: Option<Vec<SplitKind>> = folders.iter().map(split).collect();
    let roles =
        roles.filter(|roles| folders.len() > 1 && BTreeSet::from_iter(roles).len() == roles.len());
    match roles {
        Some(roles) => roles.into_iter().map(Some).zip(folders).collect(),
        None => folders.iter().map(|folder| (None, folder)).collect(),
    }
}

/// The parts that a folder holds: all of its folders are named as parts, and training images are
/// among them.
pub fn parts(listing: &Listing) -> Result<Option<Vec<(SplitKind, PathBuf)>>, ConvertError> {
    let roles = listing.folders.iter().map(|name| split_of_folder(name));
    let Some(roles) = roles.collect::<Option<Vec<SplitKind>>>().filter(|roles| !roles.is_empty())
    else {
        return Ok(None);
    };
    if !listing.images.is_empty() {
        return Ok(None);
    }
    if BTreeSet::from_iter(&roles).len() < roles.len() {
        let found = format!("several of its folders ({}) are one part", some(&listing.folders));
        return Err(ConvertError::form(&listing.path, found, "put them together"));
    }
    let folders = listing.folders.iter().map(|name| listing.path.join(name));
    Ok(Some(roles.into_iter().zip(folders).collect()))
}
