use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use data::SplitKind;
use data_hdf5::Residency;
use rayon::prelude::*;
use serde::Serialize;

use super::error::{ConvertError, UnusableImage, some};
use super::folders::{Folders, ImageFile};
use super::made::MadeSet;
use super::new_directory::{NewDirectory, NewParents, must_be_free};
use super::partition::Partition;
use super::progress::{ProgressCallback, report_progress};
use super::reading::Reading;
use super::split_folders::file_name;
use crate::image_file::{self, Fit};

/// Folders of images to be made HDF5 files.
#[derive(Debug, Clone)]
pub struct Import {
    /// Folders that hold classes, or parts that hold classes.
    pub folders: Vec<PathBuf>,
    /// The height and width to bring the images to; without it they must all have one size.
    pub size: Option<[usize; 2]>,
    /// How they are brought to it.
    pub fit: Fit,
    /// Whether one channel is stored, and not three.
    pub grey: bool,
    /// Whether images that cannot be read are left out.
    pub skips_corrupt: bool,
    /// How other parts are held out of the training images, if they are.
    pub partition: Option<Partition>,
}

/// What became of folders of images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// What was made.
    #[serde(flatten)]
    pub made: MadeSet,
    /// Images that were left out because they cannot be read.
    pub skipped: Vec<UnusableImage>,
    /// Files that are no images.
    pub left_out: Vec<PathBuf>,
    /// Whether the images have no colours and were stored with three channels all the same.
    pub all_grey: bool,
}

/// The images that are measured before it is asked whether to go on.
const BLOCK: usize = 1024;

/// The training set before other parts are held out of it.
const UNDIVIDED: &str = "undivided.h5";

impl Import {
    /// Makes the HDF5 file `out`, or a directory with one for each part if `out` does not end in
    /// `.h5` or `.hdf5`.
    ///
    /// Images are stored in the natural order of their names, whichever class they are of; those of
    /// several folders one folder after the other.
    ///
    /// # Errors
    ///
    /// If the folders are in no form that is known, images cannot be read or have several sizes, or
    /// something is at `out` already.
    pub fn apply(
        &self,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<Imported, ConvertError> {
        let mut folders = Folders::of(&self.folders)?;
        self.must_suit(&folders, out)?;
        let mut skipped = Vec::new();
        loop {
            match self.make(&folders, out, progress) {
                Err(ConvertError::Unusable { images }) if self.skips_corrupt => {
                    folders.leave_out(&images)?;
                    skipped.extend(images);
                }
                made => {
                    let (made, has_colours) = made?;
                    let all_grey = !has_colours && !self.grey;
                    return Ok(Imported { made, skipped, left_out: folders.left_out, all_grey });
                }
            }
        }
    }

    /// What can be told before any image is read.
    fn must_suit(&self, folders: &Folders, out: &Path) -> Result<(), ConvertError> {
        if let Some(Partition { split, .. }) = &self.partition {
            let shares = [
                (SplitKind::Validation, split.validation_fraction),
                (SplitKind::Test, split.test_fraction),
            ];
            for (split, share) in shares {
                if share > 0.0 && folders.parts.contains_key(&split) {
                    let (found, name) =
                        (format!("there is a folder {}", split.as_str()), split.as_str());
                    let first = self.folders.first().map_or(out, PathBuf::as_path);
                    let remedy = format!("leave out --{name}-fraction, or that folder");
                    return Err(ConvertError::form(first, found, remedy));
                }
            }
        }
        if !is_file(out) {
            return must_be_free(out);
        }
        if out.exists() {
            return Err(ConvertError::Occupied { path: out.to_owned(), found: "exists" });
        }
        let parts: Vec<&str> = folders.parts.keys().map(|split| split.as_str()).collect();
        let parts = match &self.partition {
            Some(_) => "several parts".to_owned(),
            None if parts.len() > 1 => format!("{} parts: {}", parts.len(), some(&parts)),
            None => return Ok(()),
        };
        Err(ConvertError::OneFile { path: out.to_owned(), parts })
    }

    /// Makes what is asked for, and tells whether any image has colours.
    fn make(
        &self,
        folders: &Folders,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<(MadeSet, bool), ConvertError> {
        let shape = self.shape(folders, progress)?;
        let mut reading = Reading {
            fit: self.fit,
            folders,
            shape,
            done: 0,
            has_colours: false,
            unusable: Vec::new(),
            progress,
        };
        let mut made = MadeSet {
            shape,
            are_images: true,
            classes: folders.classes.clone(),
            synthetic: folders.synthetic,
            parts: Vec::new(),
            duplicate_groups: None,
        };
        if is_file(out) {
            let mut parents = NewParents::of(out)?;
            made.parts = reading.write_all(|_| (out.to_owned(), out.to_owned()))?;
            parents.keep();
            return Ok((made, reading.has_colours));
        }
        let directory = NewDirectory::begin(out)?;
        let undivided = directory.partial().join(UNDIVIDED);
        made.parts = reading.write_all(|split| match (&self.partition, split) {
            (Some(_), SplitKind::Train) => (undivided.clone(), out.to_owned()),
            _ => (directory.partial().join(file_name(split)), out.join(file_name(split))),
        })?;
        let has_colours = reading.has_colours;
        if let Some(partition) = &self.partition {
            let file = data_hdf5::open(&undivided, SplitKind::Train, Residency::Automatic)?;
            let divided = partition.divide(file, directory.partial(), out, progress)?;
            fs::remove_file(&undivided).map_err(ConvertError::unwritable(&undivided))?;
            made.parts.retain(|part| part.part != SplitKind::Train);
            made.parts.extend(divided.parts);
            made.parts.sort_by_key(|part| part.part);
            made.duplicate_groups = divided.duplicate_groups;
        }
        directory.finish()?;
        Ok((made, has_colours))
    }

    /// The shape of all images: the one asked for, or the one that they have.
    fn shape(
        &self,
        folders: &Folders,
        progress: &mut ProgressCallback,
    ) -> Result<[usize; 3], ConvertError> {
        let channels = if self.grey { 1 } else { 3 };
        let [height, width] = match self.size {
            Some(size) => size,
            None => only_size(folders, progress)?,
        };
        Ok([height, width, channels])
    }
}

/// Whether a place is that of one file.
fn is_file(out: &Path) -> bool {
    let ending = out.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ["h5", "hdf5"].iter().any(|&known| ending == known))
}

/// The one size that all images have that can be read.
fn only_size(
    folders: &Folders,
    progress: &mut ProgressCallback,
) -> Result<[usize; 2], ConvertError> {
    let files: Vec<&ImageFile> = folders.parts.values().flatten().collect();
    let mut sizes: BTreeMap<[usize; 2], (usize, &ImageFile)> = BTreeMap::new();
    let mut unusable = Vec::new();
    for (number, block) in files.chunks(BLOCK).enumerate() {
        report_progress(progress, "measuring images", number * BLOCK, files.len())?;
        let found: Vec<_> =
            block.par_iter().map(|file| (*file, image_file::image_size(&file.path))).collect();
        for (file, size) in found {
            match size {
                Ok(size) => sizes.entry(size).or_insert((0, file)).0 += 1,
                Err(error) => unusable.push(file.unusable(&error)),
            }
        }
    }
    let mut sizes: Vec<_> =
        sizes.into_iter().map(|(size, (count, file))| (size, count, file.path.clone())).collect();
    sizes.sort_by_key(|(_, count, _)| usize::MAX - count);
    match sizes.as_slice() {
        [] => Err(ConvertError::Unusable { images: unusable }),
        [(size, ..)] => Ok(*size),
        _ => Err(ConvertError::Sizes { sizes }),
    }
}

impl Folders {
    /// Leaves out images that cannot be read. A class or a part must not be lost by that.
    fn leave_out(&mut self, images: &[UnusableImage]) -> Result<(), ConvertError> {
        let paths: BTreeSet<&Path> = images.iter().map(|image| image.path.as_path()).collect();
        for (split, files) in &mut self.parts {
            let labels = |files: &[ImageFile]| -> BTreeSet<u32> {
                files.iter().map(|file| file.label).collect()
            };
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
                return Err(ConvertError::form(
                    first,
                    found,
                    "repair these images, or remove the class",
                ));
            }
        }
        Ok(())
    }
}
