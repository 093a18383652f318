//! The split and class of each file in folders of images.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use data::SplitKind;

use super::error::{ConvertError, UnreadableImage, counted, first_few};
use super::listing::Listing;
use super::natural_order;
use super::split_folders::{assign_splits, split_subfolders};
use crate::image_file::ImageFileError;

/// The image files of a data set.
#[derive(Debug)]
pub struct ImageFolders {
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Images of each split, in the order in which they are stored.
    pub parts: BTreeMap<SplitKind, Vec<ImageFile>>,
    /// Files that are not images.
    pub left_out: Vec<PathBuf>,
    /// Whether any folder is marked as synthetic data.
    pub synthetic: bool,
}

/// An image file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    pub path: PathBuf,
    pub label: u32,
}

/// An image file with the name of its class.
struct NamedImage {
    class: String,
    /// Sort key: file name without the class.
    name: String,
    path: PathBuf,
}

/// Contents of folders before labels are assigned.
#[derive(Default)]
struct FolderScan {
    parts: BTreeMap<SplitKind, Vec<Vec<NamedImage>>>,
    /// Class names found, including those of empty folders.
    classes: BTreeSet<String>,
    /// Class names from `classes.txt`.
    given: Option<Vec<String>>,
    left_out: Vec<PathBuf>,
    synthetic: bool,
}

/// Remedy for unsupported layouts.
const LAYOUTS: &str = "put the images of each class into a folder, DIR/<class>/*.png, or start file names with the\n  \
                       class, DIR/<class>_*.png; either may be inside folders train, validation and test";

impl ImageFolders {
    /// Scans `folders`. Each contains classes, or splits that contain classes.
    pub fn scan(folders: &[PathBuf]) -> Result<Self, ConvertError> {
        check_distinct(folders)?;
        let mut scan = FolderScan::default();
        for (split, folder) in assign_splits(folders) {
            scan.add(split, folder)?;
        }
        let classes = scan.classes(folders)?;
        let labels: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
        let label = |class: &str| labels.get(class).copied().unwrap_or_default();
        let parts = scan.parts.into_iter().map(|(split, groups)| {
            let files = groups.into_iter().flat_map(|group| sorted(group, label));
            (split, files.collect())
        });
        let parts = parts.collect();
        scan.left_out.sort();
        Ok(Self { parts, classes, left_out: scan.left_out, synthetic: scan.synthetic })
    }

    /// Number of images in all splits.
    pub fn count(&self) -> usize {
        self.parts.values().map(Vec::len).sum()
    }
}

/// Fails if an image would be imported twice.
fn check_distinct(folders: &[PathBuf]) -> Result<(), ConvertError> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let path = folder.canonicalize().map_err(ConvertError::unreadable(folder))?;
        if seen.iter().any(|other| path.starts_with(other) || other.starts_with(&path)) {
            let (found, remedy) = ("overlaps another input folder", "pass each folder once");
            return Err(ConvertError::layout(folder, found, remedy));
        }
        seen.push(path);
    }
    Ok(())
}

/// Sorts the images of all classes together, in the natural order of their names.
fn sorted(mut group: Vec<NamedImage>, label: impl Fn(&str) -> u32) -> Vec<ImageFile> {
    group.sort_by(|one, other| {
        natural_order::compare(&one.name, &other.name)
            .then_with(|| label(&one.class).cmp(&label(&other.class)))
            .then_with(|| one.path.cmp(&other.path))
    });
    group
        .into_iter()
        .map(|image| ImageFile { label: label(&image.class), path: image.path })
        .collect()
}

impl FolderScan {
    /// Adds a folder with one split, or with a subfolder for each of several.
    fn add(&mut self, split: Option<SplitKind>, folder: &Path) -> Result<(), ConvertError> {
        let listing = Listing::read(folder)?;
        match (split, split_subfolders(&listing)?) {
            (None, Some(splits)) => {
                self.add_other_files(listing)?;
                splits
                    .iter()
                    .try_for_each(|(split, folder)| self.add_split(*split, Listing::read(folder)?))
            }
            (split, _) => self.add_split(split.unwrap_or(SplitKind::Train), listing),
        }
    }

    /// Adds the images of one split.
    fn add_split(&mut self, split: SplitKind, listing: Listing) -> Result<(), ConvertError> {
        let named = match (listing.folders.is_empty(), listing.images.is_empty()) {
            (true, false) => labelled_by_name(&listing)?,
            (false, true) => self.in_class_folders(&listing)?,
            (true, true) => {
                return Err(ConvertError::layout(&listing.path, "contains no images", LAYOUTS));
            }
            (false, false) => {
                let found = format!(
                    "contains both folders ({}) and images ({})",
                    first_few(&listing.folders),
                    first_few(&listing.images)
                );
                return Err(ConvertError::layout(&listing.path, found, LAYOUTS));
            }
        };
        self.classes.extend(named.iter().map(|image| image.class.clone()));
        self.parts.entry(split).or_default().push(named);
        self.add_other_files(listing)
    }

    fn in_class_folders(&mut self, listing: &Listing) -> Result<Vec<NamedImage>, ConvertError> {
        let mut named = Vec::new();
        for class in &listing.folders {
            let inner = Listing::read(&listing.path.join(class))?;
            if !inner.folders.is_empty() {
                let folders = first_few(&inner.folders);
                let found = format!(
                    "contains folders ({folders}), but only images of one class are allowed here"
                );
                return Err(ConvertError::layout(&inner.path, found, LAYOUTS));
            }
            named.extend(inner.images.iter().map(|name| NamedImage {
                class: class.clone(),
                name: name.clone(),
                path: inner.path.join(name),
            }));
            self.classes.insert(class.clone());
            self.left_out.extend(inner.others);
        }
        Ok(named)
    }

    /// Adds the files beside the images, including `classes.txt`.
    fn add_other_files(&mut self, listing: Listing) -> Result<(), ConvertError> {
        self.left_out.extend(listing.others);
        self.synthetic |= listing.synthetic;
        match (&self.given, listing.classes) {
            (Some(given), Some(classes)) if *given != classes => {
                let (found, remedy) =
                    ("its classes.txt differs from that of another folder", "keep one of them");
                return Err(ConvertError::layout(&listing.path, found, remedy));
            }
            (_, Some(classes)) => self.given = Some(classes),
            (_, None) => {}
        }
        Ok(())
    }

    /// Class names from `classes.txt`, or all that were found, sorted.
    fn classes(&self, folders: &[PathBuf]) -> Result<Vec<String>, ConvertError> {
        let first = folders.first().map_or(Path::new(""), PathBuf::as_path);
        if let Some(given) = &self.given {
            let missing = self.classes.iter().filter(|class| !given.contains(class));
            let missing: Vec<_> = missing.collect();
            if missing.is_empty() {
                return Ok(given.clone());
            }
            let found = format!("its classes.txt lacks {}", first_few(&missing));
            let remedy = "list every class in it, in the order of the labels, or remove the file";
            return Err(ConvertError::layout(first, found, remedy));
        }
        let mut classes: Vec<String> = self.classes.iter().cloned().collect();
        natural_order::sort_classes(&mut classes);
        self.check_training_images(first, &classes)?;
        match classes.as_slice() {
            [only] => {
                let found = format!("all images are of the same class, {only}");
                Err(ConvertError::layout(first, found, LAYOUTS))
            }
            _ => Ok(classes),
        }
    }

    /// Fails if a class has no training images: often such a folder is not a class.
    fn check_training_images(&self, first: &Path, classes: &[String]) -> Result<(), ConvertError> {
        let Some(train) = self.parts.get(&SplitKind::Train) else {
            let remedy = "include the folder of the training images";
            return Err(ConvertError::layout(first, "has no folder train", remedy));
        };
        let trained: BTreeSet<&str> =
            train.iter().flatten().map(|image| image.class.as_str()).collect();
        let missing = classes.iter().filter(|class| !trained.contains(class.as_str()));
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() {
            return Ok(());
        }
        let noun = if missing.len() == 1 { "class has" } else { "classes have" };
        let found = format!("{} {noun} no training images: {}", missing.len(), first_few(&missing));
        let remedy =
            "remove or fill these folders, or list all classes in a file classes.txt, one per line";
        Err(ConvertError::layout(first, found, remedy))
    }
}

/// Images whose file names start with the class.
fn labelled_by_name(listing: &Listing) -> Result<Vec<NamedImage>, ConvertError> {
    let label = |name: &String| {
        let (class, rest) = name.split_once('_').filter(|(class, _)| !class.is_empty())?;
        let path = listing.path.join(name);
        Some(NamedImage { class: class.to_owned(), name: rest.to_owned(), path })
    };
    let unlabelled: Vec<_> = listing.images.iter().filter(|name| label(name).is_none()).collect();
    if unlabelled.is_empty() {
        return Ok(listing.images.iter().filter_map(label).collect());
    }
    let (count, all) = (unlabelled.len(), counted(listing.images.len(), "image"));
    let names = first_few(&unlabelled);
    let found = format!("{count} of {all} have no class before an underscore ({names})");
    Err(ConvertError::layout(&listing.path, found, LAYOUTS))
}

impl ImageFile {
    /// Adds the path to the error of reading this file.
    pub fn unreadable(&self, error: &ImageFileError) -> UnreadableImage {
        UnreadableImage { path: self.path.clone(), reason: error.to_string() }
    }
}
