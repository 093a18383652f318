use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data::SplitKind;

use super::error::{ImagesError, first_few};
use super::listing::Listing;

/// Folders of the parts of a data set, and folders beside them.
pub struct SplitFolders {
    pub parts: Vec<(SplitKind, PathBuf)>,
    pub others: Vec<PathBuf>,
}

/// Part of a folder with this name: one of its words is that of a part, such as `train`,
/// `Training`, `seg_train` or `test1`.
pub fn split_of_folder(name: &str) -> Option<SplitKind> {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    words.find_map(|word| match word {
        "train" | "training" | "trainset" => Some(SplitKind::Train),
        "val" | "valid" | "validation" | "dev" | "valset" => Some(SplitKind::Validation),
        "test" | "testing" | "testset" => Some(SplitKind::Test),
        _ => None,
    })
}

/// Assigns a part to each of several folders if all are named after different parts, otherwise to
/// none.
pub fn assign_splits(folders: &[PathBuf]) -> Vec<(Option<SplitKind>, PathBuf)> {
    let splits: Option<Vec<SplitKind>> =
        folders.iter().map(|folder| split_of_path(folder)).collect();
    let splits = splits
        .filter(|splits| folders.len() > 1 && BTreeSet::from_iter(splits).len() == splits.len());
    let folders = folders.iter().cloned();
    match splits {
        Some(splits) => splits.into_iter().map(Some).zip(folders).collect(),
        None => folders.map(|folder| (None, folder)).collect(),
    }
}

fn split_of_path(folder: &Path) -> Option<SplitKind> {
    let absolute = std::path::absolute(folder).ok()?;
    split_of_folder(absolute.file_name()?.to_str()?)
}

/// The parts in a folder: all of its subfolders are named after parts, or one of them after the
/// training set and another after one of the others.
pub fn split_subfolders(listing: &Listing) -> Result<Option<SplitFolders>, ImagesError> {
    let (mut parts, mut others) = (Vec::new(), Vec::new());
    for name in &listing.folders {
        match split_of_folder(name) {
            Some(split) => parts.push((split, listing.path.join(name))),
            None => others.push(listing.path.join(name)),
        }
    }
    let found: BTreeSet<SplitKind> = parts.iter().map(|(split, _)| *split).collect();
    let has_train = found.contains(&SplitKind::Train) && found.len() > 1;
    if !listing.images.is_empty() || parts.is_empty() || !(others.is_empty() || has_train) {
        return Ok(None);
    }
    if found.len() < parts.len() {
        let found = format!("several folders ({}) are the same split", first_few(&listing.folders));
        return Err(ImagesError::layout(&listing.path, found, "merge them"));
    }
    Ok(Some(SplitFolders { parts, others }))
}
