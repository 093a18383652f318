use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::error::some;
use super::folders::{Folders, ImageFile};
use super::new_directory::{NewDirectory, NewParents, must_be_free};
use super::reading::Reading;
use super::{MadeSet, Partition, Role, TransferError, UnusableImage, Watch, watched};
use crate::hdf5::{self, Keep, Part};
use crate::image_file::{self, Fit, ImageFileError};

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
    pub fn apply(&self, out: &Path, watch: &mut Watch) -> Result<Imported, TransferError> {
        let mut folders = Folders::of(&self.folders)?;
        self.must_suit(&folders, out)?;
        let mut skipped = Vec::new();
        loop {
            match self.make(&folders, out, watch) {
                Err(TransferError::Unusable { images }) if self.skips_corrupt => {
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
    fn must_suit(&self, folders: &Folders, out: &Path) -> Result<(), TransferError> {
        if let Some(Partition { split, .. }) = &self.partition {
            let shares =
                [(Role::Validation, split.validation_fraction), (Role::Test, split.test_fraction)];
            for (role, share) in shares {
                if share > 0.0 && folders.parts.contains_key(&role) {
                    let (found, name) =
                        (format!("there is a folder {}", role.as_str()), role.as_str());
                    let first = self.folders.first().map_or(out, PathBuf::as_path);
                    let remedy = format!("leave out --{name}-fraction, or that folder");
                    return Err(TransferError::form(first, found, remedy));
                }
            }
        }
        if !is_file(out) {
            return must_be_free(out);
        }
        if out.exists() {
            return Err(TransferError::Occupied { path: out.to_owned(), found: "exists" });
        }
        let parts: Vec<&str> = folders.parts.keys().map(|role| role.as_str()).collect();
        let parts = match &self.partition {
            Some(_) => "several parts".to_owned(),
            None if parts.len() > 1 => format!("{} parts: {}", parts.len(), some(&parts)),
            None => return Ok(()),
        };
        Err(TransferError::OneFile { path: out.to_owned(), parts })
    }

    /// Makes what is asked for, and tells whether any image has colours.
    fn make(
        &self,
        folders: &Folders,
        out: &Path,
        watch: &mut Watch,
    ) -> Result<(MadeSet, bool), TransferError> {
        let shape = self.shape(folders, watch)?;
        let mut reading = Reading {
            import: self,
            folders,
            shape,
            done: 0,
            has_colours: false,
            unusable: Vec::new(),
            watch,
        };
        let mut made = MadeSet {
            shape,
            are_images: true,
            classes: folders.classes.clone(),
            stand_in: folders.stand_in,
            parts: Vec::new(),
            together: None,
        };
        if is_file(out) {
            let mut parents = NewParents::of(out)?;
            made.parts = reading.write_all(|_| (out.to_owned(), out.to_owned()))?;
            parents.keep();
            return Ok((made, reading.has_colours));
        }
        let directory = NewDirectory::begin(out)?;
        let undivided = directory.partial().join(UNDIVIDED);
        made.parts = reading.write_all(|role| match (&self.partition, role) {
            (Some(_), Role::Train) => (undivided.clone(), out.to_owned()),
            _ => (directory.partial().join(role.file()), out.join(role.file())),
        })?;
        let has_colours = reading.has_colours;
        if let Some(partition) = &self.partition {
            let file = hdf5::open(&undivided, Part::Train, Keep::Automatic)?;
            let divided = partition.divide(file, directory.partial(), out, watch)?;
            fs::remove_file(&undivided).map_err(TransferError::unwritable(&undivided))?;
            made.parts.retain(|part| part.part != Role::Train);
            made.parts.extend(divided.parts);
            made.parts.sort_by_key(|part| part.part);
            made.together = divided.together;
        }
        directory.finish()?;
        Ok((made, has_colours))
    }

    /// The shape of all images: the one asked for, or the one that they have.
    fn shape(&self, folders: &Folders, watch: &mut Watch) -> Result<[usize; 3], TransferError> {
        let channels = if self.grey { 1 } else { 3 };
        let [height, width] = match self.size {
            Some(size) => size,
            None => only_size(folders, watch)?,
        };
        Ok([height, width, channels])
    }

    /// The pixels of an image, and whether it has colours.
    pub(super) fn pixels(
        &self,
        file: &ImageFile,
        shape: [usize; 3],
    ) -> Result<(Vec<u8>, bool), ImageFileError> {
        let image = image_file::open_image(&file.path)?;
        Ok((image_file::pixels(&image, shape, self.fit), image.color().has_color()))
    }
}

/// Whether a place is that of one file.
fn is_file(out: &Path) -> bool {
    let ending = out.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ["h5", "hdf5"].iter().any(|&known| ending == known))
}

/// The one size that all images have that can be read.
fn only_size(folders: &Folders, watch: &mut Watch) -> Result<[usize; 2], TransferError> {
    let files: Vec<&ImageFile> = folders.parts.values().flatten().collect();
    let mut sizes: BTreeMap<[usize; 2], (usize, &ImageFile)> = BTreeMap::new();
    let mut unusable = Vec::new();
    for (number, block) in files.chunks(BLOCK).enumerate() {
        watched(watch, "measuring images", number * BLOCK, files.len())?;
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
        [] => Err(TransferError::Unusable { images: unusable }),
        [(size, ..)] => Ok(*size),
        _ => Err(TransferError::Sizes { sizes }),
    }
}

impl ImageFile {
    pub fn unusable(&self, error: &ImageFileError) -> UnusableImage {
        UnusableImage { path: self.path.clone(), reason: error.to_string() }
    }
}

impl Folders {
    /// Leaves out images that cannot be read. A class or a part must not be lost by that.
    fn leave_out(&mut self, images: &[UnusableImage]) -> Result<(), TransferError> {
        let paths: BTreeSet<&Path> = images.iter().map(|image| image.path.as_path()).collect();
        for (role, files) in &mut self.parts {
            let labels = |files: &[ImageFile]| -> BTreeSet<u32> {
                files.iter().map(|file| file.label).collect()
            };
            let before = labels(files);
            files.retain(|file| !paths.contains(file.path.as_path()));
            let after = labels(files);
            let lost = before
                .difference(&after)
                .next()
                .filter(|_| *role == Role::Train || after.is_empty());
            if let Some(&label) = lost {
                let first = images.first().map_or(Path::new(""), |image| &image.path);
                let class = self.classes.get(label as usize).map_or("", String::as_str);
                let found = format!("no {} image of the class {class} can be read", role.as_str());
                return Err(TransferError::form(
                    first,
                    found,
                    "repair these images, or remove the class",
                ));
            }
        }
        Ok(())
    }
}
