use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use data::SplitKind;
use unicode_normalization::UnicodeNormalization;

use super::error::{ImagesError, first_few};

/// File in a folder of images with the class names in the order of their labels, one per line.
pub const CLASSES: &str = "classes.txt";

/// File that marks a folder of images as synthetic data. Its name is part of the format.
pub const SYNTHETIC: &str = "drawn_by_trainer";

/// Contents of a folder, without hidden entries. Links are followed.
#[derive(Default)]
pub struct Listing {
    pub path: PathBuf,
    /// Names of subfolders.
    pub folders: Vec<String>,
    /// Names of files with the extension of an image format.
    pub images: Vec<String>,
    /// Other files.
    pub others: Vec<PathBuf>,
    /// Lines of `classes.txt`.
    pub classes: Option<Vec<String>>,
    /// Whether the folder is marked as synthetic data.
    pub synthetic: bool,
}

/// Extensions of image files. Those of unsupported formats are reported as unreadable images, so that
/// no image is dropped silently.
const EXTENSIONS: [&str; 18] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "dib", "webp", "tif", "tiff",
    "heic", "heif", "avif", "jxl", "jp2", "ppm",
];

/// Names of files that operating systems and archive tools create.
const SYSTEM_FILES: [&str; 4] = ["__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"];

/// Maximum depth of folders in folders; links may form a circle.
const MAX_DEPTH: usize = 32;

impl Listing {
    /// Lists the folder at `path`.
    pub fn read(path: &Path) -> Result<Self, ImagesError> {
        let mut listing = Self { path: path.to_owned(), ..Self::default() };
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.map_err(ImagesError::unreadable(path))? {
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|name| {
                let found = format!("the file name {} is not valid UTF-8", name.display());
                ImagesError::layout(&listing.path, found, "rename the file")
            })?;
            if !name.starts_with('.') && !SYSTEM_FILES.contains(&name.as_str()) {
                listing.add(name, path)?;
            }
        }
        listing.folders.sort();
        listing.images.sort();
        Ok(listing)
    }

    fn add(&mut self, name: String, path: PathBuf) -> Result<(), ImagesError> {
        // A broken link is an unreadable image.
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => self.folders.push(name),
            Ok(found) if !found.is_file() => self.others.push(path),
            _ if is_image(&path) => self.images.push(name),
            _ if name == CLASSES => self.classes = Some(lines(&path)?),
            _ if name == SYNTHETIC => self.synthetic = true,
            _ => self.others.push(path),
        }
        Ok(())
    }

    /// Paths of the images of this folder and all below it, relative to it, with `/` between their
    /// parts. Other files are added to `others`.
    pub fn images_below(self, others: &mut Vec<PathBuf>) -> Result<Vec<String>, ImagesError> {
        let mut images = Vec::new();
        let mut listings = vec![(self, String::new(), 0)];
        while let Some((listing, prefix, depth)) = listings.pop() {
            if depth == MAX_DEPTH {
                let found = format!("more than {MAX_DEPTH} folders in each other");
                let remedy = "check for a link to a parent";
                return Err(ImagesError::layout(&listing.path, found, remedy));
            }
            images.extend(listing.images.iter().map(|name| format!("{prefix}{name}")));
            others.extend(listing.others);
            for folder in listing.folders.iter().rev() {
                let inner = Self::read(&listing.path.join(folder))?;
                listings.push((inner, format!("{prefix}{folder}/"), depth + 1));
            }
        }
        Ok(images)
    }
}

/// Returns true if the file has the extension of an image format.
pub fn is_image(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    extension.is_some_and(|own| EXTENSIONS.iter().any(|&known| own == known))
}

/// The name of a class, in one of the several forms that Unicode has for letters with accents.
pub fn class_name(name: &str) -> String {
    name.nfc().collect()
}

/// Lines of a text file, which may start with a byte order mark.
fn lines(path: &Path) -> Result<Vec<String>, ImagesError> {
    let text = fs::read_to_string(path).map_err(ImagesError::unreadable(path))?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_end);
    Ok(lines.filter(|line| !line.is_empty()).map(class_name).collect())
}

/// Folders of the parts of a data set, and folders beside them.
pub type SplitFolders = (Vec<(SplitKind, PathBuf)>, Vec<PathBuf>);

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
    Ok(Some((parts, others)))
}
