//! Folders of images: which file is of which part and class.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use data::SplitKind;

use super::error::{ConvertError, UnusableImage, counted, some};
use super::listing::Listing;
use super::natural;
use super::split_folders::{parts, roles};
use crate::image_file::ImageFileError;

/// The image files of a data set.
#[derive(Debug)]
pub struct Folders {
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// The images of each part, in the order in which they are stored.
    pub parts: BTreeMap<SplitKind, Vec<ImageFile>>,
    /// Files that are no images.
    pub left_out: Vec<PathBuf>,
    /// Whether any folder is marked as drawn in place of real data.
    pub synthetic: bool,
}

/// An image file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    pub path: PathBuf,
    pub label: u32,
}

/// An image file with the name of its class.
struct Named {
    class: String,
    /// What it is sorted by: its name, without a label.
    name: String,
    path: PathBuf,
}

/// What is found in folders before the classes are numbered.
#[derive(Default)]
struct FoldersFound {
    parts: BTreeMap<SplitKind, Vec<Vec<Named>>>,
    /// Every name of a class folder, with or without images in it.
    classes: BTreeSet<String>,
    given: Option<Vec<String>>,
    left_out: Vec<PathBuf>,
    synthetic: bool,
}

const FORMS: &str = "images stand in a folder for each class, DIR/<class>/*.png, or together with their class\n  \
                     before an underscore, DIR/<class>_*.png; either may be in folders train, validation and test";

impl Folders {
    /// Looks through `folders`, of which each holds classes, or parts that hold classes.
    pub fn of(folders: &[PathBuf]) -> Result<Self, ConvertError> {
        must_differ(folders)?;
        let mut findings = FoldersFound::default();
        for (split, folder) in roles(folders) {
            findings.add(split, folder)?;
        }
        let classes = findings.classes(folders)?;
        let labels: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
        let label = |class: &str| labels.get(class).copied().unwrap_or_default();
        let parts = findings.parts.into_iter().map(|(split, groups)| {
            let files = groups.into_iter().flat_map(|group| numbered(group, label));
            (split, files.collect())
        });
        let parts = parts.collect();
        findings.left_out.sort();
        let (left_out, synthetic) = (findings.left_out, findings.synthetic);
        Ok(Self { parts, classes, left_out, synthetic })
    }

    /// The number of images of all parts.
    pub fn count(&self) -> usize {
        self.parts.values().map(Vec::len).sum()
    }
}

/// An image that is there twice would be counted twice.
fn must_differ(folders: &[PathBuf]) -> Result<(), ConvertError> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let path = folder.canonicalize().map_err(ConvertError::unreadable(folder))?;
        if seen.iter().any(|other| path.starts_with(other) || other.starts_with(&path)) {
            let remedy = "name each folder once";
            return Err(ConvertError::form(folder, "is, or is in, another of the folders", remedy));
        }
        seen.push(path);
    }
    Ok(())
}

/// In natural order of the names, whichever classes they are of.
fn numbered(mut group: Vec<Named>, label: impl Fn(&str) -> u32) -> Vec<ImageFile> {
    group.sort_by(|one, other| {
        natural::compare(&one.name, &other.name)
            .then_with(|| label(&one.class).cmp(&label(&other.class)))
            .then_with(|| one.path.cmp(&other.path))
    });
    let file = |Named { class, path, .. }: Named| ImageFile { label: label(&class), path };
    group.into_iter().map(file).collect()
}

impl FoldersFound {
    /// Adds what a folder holds: one part, or several in folders of their own.
    fn add(&mut self, split: Option<SplitKind>, folder: &Path) -> Result<(), ConvertError> {
        let listing = Listing::of(folder)?;
        match (split, parts(&listing)?) {
            (None, Some(parts)) => {
                self.note(listing)?;
                parts
                    .iter()
                    .try_for_each(|(split, folder)| self.add_set(*split, Listing::of(folder)?))
            }
            (split, _) => self.add_set(split.unwrap_or(SplitKind::Train), listing),
        }
    }

    /// Adds the images of one part.
    fn add_set(&mut self, split: SplitKind, listing: Listing) -> Result<(), ConvertError> {
        let named = match (listing.folders.is_empty(), listing.images.is_empty()) {
            (true, false) => labelled(&listing)?,
            (false, true) => self.in_class_folders(&listing)?,
            (true, true) => {
                return Err(ConvertError::form(&listing.path, "holds no images", FORMS));
            }
            (false, false) => {
                let found = format!(
                    "holds both folders ({}) and images ({})",
                    some(&listing.folders),
                    some(&listing.images)
                );
                return Err(ConvertError::form(&listing.path, found, FORMS));
            }
        };
        self.classes.extend(named.iter().map(|image| image.class.clone()));
        self.parts.entry(split).or_default().push(named);
        self.note(listing)
    }

    fn in_class_folders(&mut self, listing: &Listing) -> Result<Vec<Named>, ConvertError> {
        let mut named = Vec::new();
        for class in &listing.folders {
            let inner = Listing::of(&listing.path.join(class))?;
            if !inner.folders.is_empty() {
                let folders = some(&inner.folders);
                let found =
                    format!("holds folders ({folders}) where the images of one class should be");
                return Err(ConvertError::form(&inner.path, found, FORMS));
            }
            named.extend(inner.images.iter().map(|name| Named {
                class: class.clone(),
                name: name.clone(),
                path: inner.path.join(name),
            }));
            self.classes.insert(class.clone());
            self.left_out.extend(inner.others);
        }
        Ok(named)
    }

    /// Notes what stands beside the images.
    fn note(&mut self, listing: Listing) -> Result<(), ConvertError> {
        self.left_out.extend(listing.others);
        self.synthetic |= listing.synthetic;
        match (&self.given, listing.classes) {
            (Some(given), Some(classes)) if *given != classes => {
                let (found, remedy) = ("its classes.txt differs from another", "keep one of them");
                return Err(ConvertError::form(&listing.path, found, remedy));
            }
            (_, Some(classes)) => self.given = Some(classes),
            (_, None) => {}
        }
        Ok(())
    }

    /// The names of the classes: as given in a file, or all that were found, sorted.
    fn classes(&self, folders: &[PathBuf]) -> Result<Vec<String>, ConvertError> {
        let first = folders.first().map_or(Path::new(""), PathBuf::as_path);
        if let Some(given) = &self.given {
            let unknown = self.classes.iter().filter(|class| !given.contains(class));
            let unknown: Vec<_> = unknown.collect();
            return match unknown.is_empty() {
                true => Ok(given.clone()),
                false => Err(ConvertError::form(
                    first,
                    format!("its classes.txt lacks {}", some(&unknown)),
                    "name every class there, in the order of the labels, or remove that file",
                )),
            };
        }
        let mut classes: Vec<String> = self.classes.iter().cloned().collect();
        natural::sort_classes(&mut classes);
        self.must_be_trained(first, &classes)?;
        match classes.as_slice() {
            [only] => {
                let found = format!("all images are of one class, {only}");
                Err(ConvertError::form(first, found, FORMS))
            }
            _ => Ok(classes),
        }
    }

    /// What no training image is of cannot be learned, and is often a folder that is no class.
    fn must_be_trained(&self, first: &Path, classes: &[String]) -> Result<(), ConvertError> {
        let Some(train) = self.parts.get(&SplitKind::Train) else {
            let remedy = "name the folder of the training images too";
            return Err(ConvertError::form(first, "has no folder train", remedy));
        };
        let trained: BTreeSet<&str> =
            train.iter().flatten().map(|image| image.class.as_str()).collect();
        let others = classes.iter().filter(|class| !trained.contains(class.as_str()));
        let others: Vec<_> = others.collect();
        if others.is_empty() {
            return Ok(());
        }
        let found = format!(
            "no training image is of {}: {}",
            counted(others.len(), "class").replace("classs", "classes"),
            some(&others)
        );
        let remedy =
            "remove or fill these folders, or name all classes in a file classes.txt, a line each";
        Err(ConvertError::form(first, found, remedy))
    }
}

/// Images with their labels in their names.
fn labelled(listing: &Listing) -> Result<Vec<Named>, ConvertError> {
    let label = |name: &String| {
        let (class, rest) = name.split_once('_').filter(|(class, _)| !class.is_empty())?;
        let path = listing.path.join(name);
        Some(Named { class: class.to_owned(), name: rest.to_owned(), path })
    };
    let bare: Vec<_> = listing.images.iter().filter(|name| label(name).is_none()).collect();
    if bare.is_empty() {
        return Ok(listing.images.iter().filter_map(label).collect());
    }
    let (count, all) = (bare.len(), counted(listing.images.len(), "image"));
    let found = format!("of {all}, {count} have no class before an underscore ({})", some(&bare));
    Err(ConvertError::form(&listing.path, found, FORMS))
}

impl ImageFile {
    pub fn unusable(&self, error: &ImageFileError) -> UnusableImage {
        UnusableImage { path: self.path.clone(), reason: error.to_string() }
    }
}
