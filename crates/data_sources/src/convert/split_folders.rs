use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data::SplitKind;

use super::error::{ConvertError, first_few};
use super::listing::Listing;

/// Split of a folder with this name.
pub fn split_of_folder(name: &str) -> Option<SplitKind> {
    match name.to_lowercase().as_str() {
        "train" | "training" => Some(SplitKind::Train),
        "val" | "valid" | "validation" | "dev" => Some(SplitKind::Validation),
        "test" | "testing" => Some(SplitKind::Test),
        _ => None,
    }
}

/// Name of the HDF5 file of a split.
pub fn file_name(split: SplitKind) -> String {
    format!("{split}.h5")
}

/// Assigns a split to each of several folders if all are named after different splits, otherwise to
/// none.
pub fn assign_splits(folders: &[PathBuf]) -> Vec<(Option<SplitKind>, &PathBuf)> {
    let splits: Option<Vec<SplitKind>> =
        folders.iter().map(|folder| split_of_path(folder)).collect();
    let splits = splits
        .filter(|splits| folders.len() > 1 && BTreeSet::from_iter(splits).len() == splits.len());
    match splits {
        Some(splits) => splits.into_iter().map(Some).zip(folders).collect(),
        None => folders.iter().map(|folder| (None, folder)).collect(),
    }
}

fn split_of_path(folder: &Path) -> Option<SplitKind> {
    let absolute = std::path::absolute(folder).ok()?;
    split_of_folder(absolute.file_name()?.to_str()?)
}

/// The splits in a folder, if all of its subfolders are named after splits.
pub fn split_subfolders(
    listing: &Listing,
) -> Result<Option<Vec<(SplitKind, PathBuf)>>, ConvertError> {
    let splits = listing.folders.iter().map(|name| split_of_folder(name));
    let Some(splits) = splits.collect::<Option<Vec<SplitKind>>>() else { return Ok(None) };
    if splits.is_empty() || !listing.images.is_empty() {
        return Ok(None);
    }
    if BTreeSet::from_iter(&splits).len() < splits.len() {
        let found = format!("several folders ({}) are the same split", first_few(&listing.folders));
        return Err(ConvertError::layout(&listing.path, found, "merge them"));
    }
    let folders = listing.folders.iter().map(|name| listing.path.join(name));
    Ok(Some(splits.into_iter().zip(folders).collect()))
}
