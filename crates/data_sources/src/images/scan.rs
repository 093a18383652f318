//! The part and class of each image file of a data set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use data::SplitKind;
use regex::Regex;

use super::error::{ImagesError, UnreadableImage, counted, first_few};
use super::listing::{Listing, assign_splits, class_name, split_of_folder, split_subfolders};
use super::{csv_labels, label_rules, natural_order};

/// The image files of a data set.
#[derive(Debug, Default)]
pub struct ImageList {
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Images of each part, in the order in which they are stored.
    pub parts: BTreeMap<SplitKind, Vec<ImageFile>>,
    /// Files that are not images, and folders without labels.
    pub left_out: Vec<PathBuf>,
    /// Whether any folder is marked as synthetic data.
    pub synthetic: bool,
    /// What was inferred about the labels, one sentence each.
    pub notes: Vec<String>,
}

/// An image file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Index of its class.
    pub label: u32,
}

/// Source of the labels. By default the folders of the images, or else their names.
#[derive(Debug, Clone, Default)]
pub struct Labelling {
    /// Pattern of the path of an image, whose group `label`, or first group, is its class.
    pub pattern: Option<Regex>,
    /// Table of paths and labels.
    pub csv: Option<PathBuf>,
}

/// An image file with the name of its class.
pub struct NamedImage {
    pub class: String,
    /// Sort key: path in its class folder, or file name without the class.
    pub name: String,
    pub path: PathBuf,
}

/// Contents of folders before labels are assigned.
#[derive(Default)]
struct FolderScan {
    parts: BTreeMap<SplitKind, Vec<Vec<NamedImage>>>,
    /// Class names found, including those of empty folders.
    classes: BTreeSet<String>,
    /// Class names from `classes.txt`.
    given: Option<Vec<String>>,
    /// Everything else.
    list: ImageList,
}

/// Remedy for unsupported layouts.
const LAYOUTS: &str = "put the images of each class into a folder, DIR/<class>/*.png, or start file names with the\n  \
                       class, DIR/<class>_*.png; either may be inside folders train, validation and test;\n  \
                       or give a pattern of the label, or a table of paths and labels";

impl ImageList {
    /// Scans `folders`. Each contains classes, or parts that contain classes. Fails if a folder cannot be
    /// read or has an unsupported layout.
    pub fn scan(folders: &[PathBuf], labelling: &Labelling) -> Result<Self, ImagesError> {
        check_distinct(folders)?;
        Self::scan_parts(&assign_splits(folders), labelling)
    }

    /// Scans folders of known parts, or of parts to be found in them. Fails if a folder cannot be read or
    /// has an unsupported layout.
    pub fn scan_parts(
        folders: &[(Option<SplitKind>, PathBuf)],
        labelling: &Labelling,
    ) -> Result<Self, ImagesError> {
        let first = folders.first().map_or(Path::new(""), |(_, folder)| folder.as_path());
        let mut scan = FolderScan::default();
        if let Some(table) = &labelling.csv {
            scan.add_table(table, first)?;
        } else {
            for (split, folder) in folders {
                scan.add(*split, folder, labelling)?;
            }
        }
        scan.finish(first)
    }

    /// The folders of the parts in `directory`: the directory itself if it has no such folders. Fails if
    /// the directory cannot be read, or two folders are of the same part.
    pub fn part_folders(directory: &Path) -> Result<Vec<(SplitKind, PathBuf)>, ImagesError> {
        let listing = unwrapped(directory)?;
        Ok(match split_subfolders(&listing)? {
            Some((parts, _)) => parts,
            None => vec![(SplitKind::Train, listing.path)],
        })
    }

    /// The image files of `directory` and all folders below it, in natural order. Fails if a folder cannot
    /// be read.
    pub fn files_below(directory: &Path) -> Result<Vec<PathBuf>, ImagesError> {
        let mut names = Listing::read(directory)?.images_below(&mut Vec::new())?;
        names.sort_by(|one, other| natural_order::compare(one, other));
        Ok(names.into_iter().map(|name| directory.join(name)).collect())
    }

    /// Number of images in all parts.
    pub fn count(&self) -> usize {
        self.parts.values().map(Vec::len).sum()
    }

    /// Removes unreadable images. Fails if no training image of a class, or no image of a part, is left.
    pub fn remove(&mut self, images: &[UnreadableImage]) -> Result<(), ImagesError> {
        let paths: BTreeSet<&Path> = images.iter().map(|image| image.path.as_path()).collect();
        for (split, files) in &mut self.parts {
            let before = labels(files);
            files.retain(|file| !paths.contains(file.path.as_path()));
            let after = labels(files);
            let lost = before
                .difference(&after)
                .next()
                .filter(|_| *split == SplitKind::Train || after.is_empty());
            if let Some(&label) = lost {
                let first = images.first().map_or(Path::new(""), |image| &image.path);
                let class = self.classes.get(label as usize).map_or("", String::as_str);
                let found = format!("no {} image of the class {class} can be read", split.as_str());
                let remedy = "repair these images, or remove the class";
                return Err(ImagesError::layout(first, found, remedy));
            }
        }
        Ok(())
    }
}

impl AsRef<Path> for ImageFile {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

fn labels(files: &[ImageFile]) -> BTreeSet<u32> {
    files.iter().map(|file| file.label).collect()
}

/// Fails if an image would be read twice.
fn check_distinct(folders: &[PathBuf]) -> Result<(), ImagesError> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let path = folder.canonicalize().map_err(ImagesError::unreadable(folder))?;
        if seen.iter().any(|other| path.starts_with(other) || other.starts_with(&path)) {
            let (found, remedy) = ("overlaps another input folder", "pass each folder once");
            return Err(ImagesError::layout(folder, found, remedy));
        }
        seen.push(path);
    }
    Ok(())
}

/// The folder at `path`, or the one inside it if it contains nothing but one folder of folders, as
/// unpacked archives do.
fn unwrapped(path: &Path) -> Result<Listing, ImagesError> {
    let listing = Listing::read(path)?;
    let [only] = &listing.folders[..] else { return Ok(listing) };
    let is_wrapper = listing.images.is_empty() && listing.classes.is_none();
    if is_wrapper && split_of_folder(only).is_none() {
        let inner = unwrapped(&path.join(only))?;
        if !inner.folders.is_empty() {
            return Ok(inner);
        }
    }
    Ok(listing)
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
    /// Adds a folder with one part, or with a subfolder for each of several.
    fn add(
        &mut self,
        split: Option<SplitKind>,
        folder: &Path,
        labelling: &Labelling,
    ) -> Result<(), ImagesError> {
        let listing = if split.is_some() { Listing::read(folder)? } else { unwrapped(folder)? };
        match (split, split_subfolders(&listing)?) {
            (None, Some((parts, others))) => {
                self.list.left_out.extend(others);
                self.add_other_files(listing)?;
                parts.iter().try_for_each(|(split, folder)| {
                    self.add_split(*split, Listing::read(folder)?, labelling)
                })
            }
            (split, _) => self.add_split(split.unwrap_or(SplitKind::Train), listing, labelling),
        }
    }

    /// Adds the images of a table of labels.
    fn add_table(&mut self, table: &Path, directory: &Path) -> Result<(), ImagesError> {
        for (split, images) in csv_labels::read(table, directory)? {
            self.classes.extend(images.iter().map(|image| image.class.clone()));
            self.parts.insert(split, vec![images]);
        }
        Ok(())
    }

    /// The class `name`, which is added if it is new.
    fn class(&mut self, name: &str) -> String {
        let class = class_name(name);
        self.classes.insert(class.clone());
        class
    }

    /// Adds the images of one part.
    fn add_split(
        &mut self,
        split: SplitKind,
        listing: Listing,
        labelling: &Labelling,
    ) -> Result<(), ImagesError> {
        let named = match (&labelling.pattern, listing.folders.is_empty(), listing.images.len()) {
            (Some(pattern), ..) => self.labelled_by_pattern(&listing.path, pattern)?,
            (None, true, 0) => {
                return Err(ImagesError::layout(&listing.path, "contains no images", LAYOUTS));
            }
            (None, true, _) => match self.labelled_by_name(&listing) {
                // As in competitions, whose test images have no labels.
                Err(_) if split != SplitKind::Train => {
                    let folder = listing.path.display();
                    let note = format!("the images in {folder} have no labels: left out");
                    self.list.notes.push(note);
                    self.list.left_out.push(listing.path);
                    return Ok(());
                }
                named => named?,
            },
            (None, false, 0) => self.in_class_folders(&listing)?,
            (None, false, _) => {
                let found = format!(
                    "contains both folders ({}) and images ({})",
                    first_few(&listing.folders),
                    first_few(&listing.images)
                );
                return Err(ImagesError::layout(&listing.path, found, LAYOUTS));
            }
        };
        self.parts.entry(split).or_default().push(named);
        self.add_other_files(listing)
    }

    fn in_class_folders(&mut self, listing: &Listing) -> Result<Vec<NamedImage>, ImagesError> {
        let mut named = Vec::new();
        for folder in &listing.folders {
            let inner = Listing::read(&listing.path.join(folder))?;
            let (path, class) = (inner.path.clone(), self.class(folder));
            let images = inner.images_below(&mut self.list.left_out)?.into_iter();
            named.extend(images.map(|name| NamedImage {
                class: class.clone(),
                path: path.join(&name),
                name,
            }));
        }
        Ok(named)
    }

    /// Images whose paths match a pattern.
    fn labelled_by_pattern(
        &mut self,
        path: &Path,
        pattern: &Regex,
    ) -> Result<Vec<NamedImage>, ImagesError> {
        let names = Listing::read(path)?.images_below(&mut Vec::new())?;
        let (mut named, mut unlabelled) = (Vec::new(), Vec::new());
        for name in names {
            match label_rules::by_pattern(&name, pattern) {
                Some(class) => {
                    let class = self.class(class);
                    named.push(NamedImage { class, path: path.join(&name), name });
                }
                None => unlabelled.push(name),
            }
        }
        if unlabelled.is_empty() && !named.is_empty() {
            return Ok(named);
        }
        let (count, all) = (unlabelled.len(), counted(named.len() + unlabelled.len(), "image"));
        let names = first_few(&unlabelled);
        let found = format!("{count} of {all} do not match the pattern `{pattern}` ({names})");
        let remedy = "the pattern needs a group, such as `^([a-z]+)_`, and must match every path in this folder";
        Err(ImagesError::layout(path, found, remedy))
    }

    /// Images whose file names start with the class.
    fn labelled_by_name(&mut self, listing: &Listing) -> Result<Vec<NamedImage>, ImagesError> {
        let Some(labelled) = label_rules::by_name(&listing.images) else {
            return Err(unlabelled(listing));
        };
        let named = listing.images.iter().zip(labelled).map(|(file, (class, rest))| NamedImage {
            class: self.class(class),
            name: rest.to_owned(),
            path: listing.path.join(file),
        });
        Ok(named.collect())
    }

    /// Adds the files beside the images, including `classes.txt`.
    fn add_other_files(&mut self, listing: Listing) -> Result<(), ImagesError> {
        self.list.left_out.extend(listing.others);
        self.list.synthetic |= listing.synthetic;
        match (&self.given, listing.classes) {
            (Some(given), Some(classes)) if *given != classes => {
                let (found, remedy) =
                    ("its classes.txt differs from that of another folder", "keep one of them");
                return Err(ImagesError::layout(&listing.path, found, remedy));
            }
            (_, Some(classes)) => self.given = Some(classes),
            (_, None) => {}
        }
        Ok(())
    }

    /// Assigns labels and sorts the images.
    fn finish(mut self, first: &Path) -> Result<ImageList, ImagesError> {
        let classes = self.class_names(first)?;
        let labels: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
        let label = |class: &str| labels.get(class).copied().unwrap_or_default();
        let parts = self.parts.into_iter().map(|(split, groups)| {
            let files = groups.into_iter().flat_map(|group| sorted(group, label));
            (split, files.collect())
        });
        self.list.parts = parts.collect();
        self.list.left_out.sort();
        Ok(ImageList { classes, ..self.list })
    }

    /// Class names from `classes.txt`, or all that were found, sorted.
    fn class_names(&self, first: &Path) -> Result<Vec<String>, ImagesError> {
        if let Some(given) = &self.given {
            let missing = self.classes.iter().filter(|class| !given.contains(class));
            let missing: Vec<_> = missing.collect();
            if missing.is_empty() {
                return Ok(given.clone());
            }
            let found = format!("its classes.txt lacks {}", first_few(&missing));
            let remedy = "list every class in it, in the order of the labels, or remove the file";
            return Err(ImagesError::layout(first, found, remedy));
        }
        let mut classes = Vec::from_iter(self.classes.iter().cloned());
        natural_order::sort_classes(&mut classes);
        self.check_training_images(first, &classes)?;
        match classes.as_slice() {
            [only] => {
                let found = format!("all images are of the same class, {only}");
                Err(ImagesError::layout(first, found, LAYOUTS))
            }
            _ => Ok(classes),
        }
    }

    /// Fails if a class has no training images: often such a folder is not a class.
    fn check_training_images(&self, first: &Path, classes: &[String]) -> Result<(), ImagesError> {
        let Some(train) = self.parts.get(&SplitKind::Train) else {
            let remedy = "include the folder of the training images";
            return Err(ImagesError::layout(first, "has no folder train", remedy));
        };
        let trained: BTreeSet<_> = train.iter().flatten().map(|image| &image.class).collect();
        let missing = classes.iter().filter(|class| !trained.contains(class));
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() {
            return Ok(());
        }
        let noun = if missing.len() == 1 { "class has" } else { "classes have" };
        let found = format!("{} {noun} no training images: {}", missing.len(), first_few(&missing));
        let remedy =
            "remove or fill these folders, or list all classes in a file classes.txt, one per line";
        Err(ImagesError::layout(first, found, remedy))
    }
}

/// Error of images without a class in their names.
fn unlabelled(listing: &Listing) -> ImagesError {
    let is_unlabelled = |name: &&String| label_rules::by_name(std::slice::from_ref(name)).is_none();
    let unlabelled: Vec<_> = listing.images.iter().filter(is_unlabelled).collect();
    let (count, all) = (unlabelled.len(), counted(listing.images.len(), "image"));
    let names = first_few(&unlabelled);
    let found = format!(
        "{count} of {all} have no class before an underscore or a number at the end ({names})"
    );
    ImagesError::layout(&listing.path, found, LAYOUTS)
}
