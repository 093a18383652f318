use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use data::SplitKind;
use data_hdf5::Residency;
use rayon::prelude::*;
use serde::Serialize;

use super::converted_dataset::ConvertedDataset;
use super::error::{ConvertError, UnreadableImage, first_few};
use super::image_conversion::ImageConversion;
use super::image_folders::{ImageFile, ImageFolders};
use super::new_directory::{NewDirectory, NewParents, check_free};
use super::partition::Partition;
use super::progress::{ProgressCallback, report_progress};
use super::split_folders::file_name;
use crate::image_file::{self, Fit};

/// Import of image folders to HDF5 files.
#[derive(Debug, Clone)]
pub struct Import {
    /// Folders that contain classes, or splits that contain classes.
    pub folders: Vec<PathBuf>,
    /// Height and width to resize to; if `None`, all images must have the same size.
    pub size: Option<[usize; 2]>,
    /// Resizing of images with another aspect ratio.
    pub fit: Fit,
    /// Whether to store one channel instead of three.
    pub grey: bool,
    /// Whether to skip unreadable images.
    pub skip_corrupt: bool,
    /// Split of the training images, if any.
    pub partition: Option<Partition>,
}

/// Result of an import.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportedDataset {
    /// The new data set.
    #[serde(flatten)]
    pub dataset: ConvertedDataset,
    /// Unreadable images that were skipped.
    pub skipped: Vec<UnreadableImage>,
    /// Other files that were skipped.
    pub left_out: Vec<PathBuf>,
    /// Whether all images are grey but were stored with three channels.
    pub all_grey: bool,
}

/// Number of image headers read between two calls of the progress callback.
const BLOCK: usize = 1024;

/// Temporary file of the training set before the split.
const UNSPLIT: &str = "undivided.h5";

impl Import {
    /// Writes the HDF5 file `out`, or a directory with one file per split if `out` does not end in
    /// `.h5` or `.hdf5`.
    ///
    /// The images of a folder are stored in the natural order of their names, across classes; several
    /// folders of a split follow one another.
    ///
    /// # Errors
    ///
    /// If the layout of the folders is unsupported, images cannot be read or differ in size, or `out`
    /// exists.
    pub fn apply(
        &self,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<ImportedDataset, ConvertError> {
        let mut folders = ImageFolders::scan(&self.folders)?;
        self.check(&folders, out)?;
        let mut skipped = Vec::new();
        loop {
            match self.write(&folders, out, progress) {
                Err(ConvertError::UnreadableImages { images }) if self.skip_corrupt => {
                    folders.remove(&images)?;
                    skipped.extend(images);
                }
                written => {
                    let (dataset, has_colours) = written?;
                    let all_grey = !has_colours && !self.grey;
                    let left_out = folders.left_out;
                    return Ok(ImportedDataset { dataset, skipped, left_out, all_grey });
                }
            }
        }
    }

    /// Checks that do not require reading images.
    fn check(&self, folders: &ImageFolders, out: &Path) -> Result<(), ConvertError> {
        if let Some(Partition { split, .. }) = &self.partition {
            let fractions = [
                (SplitKind::Validation, split.validation_fraction),
                (SplitKind::Test, split.test_fraction),
            ];
            for (split, fraction) in fractions {
                if fraction > 0.0 && folders.parts.contains_key(&split) {
                    let first = self.folders.first().map_or(out, PathBuf::as_path);
                    let found = format!("a {split} fraction is set, but there is a {split} folder");
                    let remedy = "set no such fraction, or remove the folder";
                    return Err(ConvertError::layout(first, found, remedy));
                }
            }
        }
        if !is_file(out) {
            return check_free(out);
        }
        if out.exists() {
            return Err(ConvertError::OutputExists { path: out.to_owned(), state: "exists" });
        }
        let names: Vec<&str> = folders.parts.keys().map(|split| split.as_str()).collect();
        let splits = match &self.partition {
            Some(_) => "several splits".to_owned(),
            None if names.len() > 1 => format!("{} splits: {}", names.len(), first_few(&names)),
            None => return Ok(()),
        };
        Err(ConvertError::NeedsDirectory { path: out.to_owned(), splits })
    }

    /// Writes the data set. The flag is true if any image has colours.
    fn write(
        &self,
        folders: &ImageFolders,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<(ConvertedDataset, bool), ConvertError> {
        let shape = self.shape(folders, progress)?;
        let mut conversion = ImageConversion {
            fit: self.fit,
            folders,
            shape,
            done: 0,
            has_colours: false,
            unreadable: Vec::new(),
            progress,
        };
        let mut dataset = ConvertedDataset {
            shape,
            are_images: true,
            classes: folders.classes.clone(),
            synthetic: folders.synthetic,
            parts: Vec::new(),
            duplicate_groups: None,
        };
        if is_file(out) {
            let mut parents = NewParents::create(out)?;
            dataset.parts = conversion.write_all(|_| (out.to_owned(), out.to_owned()))?;
            parents.keep();
            return Ok((dataset, conversion.has_colours));
        }
        let directory = NewDirectory::create(out)?;
        let unsplit = directory.partial().join(UNSPLIT);
        dataset.parts = conversion.write_all(|split| match (&self.partition, split) {
            (Some(_), SplitKind::Train) => (unsplit.clone(), out.to_owned()),
            _ => (directory.partial().join(file_name(split)), out.join(file_name(split))),
        })?;
        let has_colours = conversion.has_colours;
        if let Some(partition) = &self.partition {
            let file = data_hdf5::open(&unsplit, SplitKind::Train, Residency::Automatic)?;
            let split = partition.split_file(file, directory.partial(), out, progress)?;
            fs::remove_file(&unsplit).map_err(ConvertError::unwritable(&unsplit))?;
            dataset.parts.retain(|part| part.part != SplitKind::Train);
            dataset.parts.extend(split.parts);
            dataset.parts.sort_by_key(|part| part.part);
            dataset.duplicate_groups = split.duplicate_groups;
        }
        directory.finish()?;
        Ok((dataset, has_colours))
    }

    /// Shape of the stored images, `[height, width, channels]`.
    fn shape(
        &self,
        folders: &ImageFolders,
        progress: &mut ProgressCallback,
    ) -> Result<[usize; 3], ConvertError> {
        let channels = if self.grey { 1 } else { 3 };
        let [height, width] = match self.size {
            Some(size) => size,
            None => common_size(folders, progress)?,
        };
        Ok([height, width, channels])
    }
}

/// Returns true for the path of an HDF5 file, false for that of a directory.
fn is_file(out: &Path) -> bool {
    let extension = out.extension().map(|extension| extension.to_ascii_lowercase());
    extension.is_some_and(|own| ["h5", "hdf5"].iter().any(|&known| own == known))
}

/// Height and width of all readable images. Fails if they differ.
fn common_size(
    folders: &ImageFolders,
    progress: &mut ProgressCallback,
) -> Result<[usize; 2], ConvertError> {
    let files: Vec<&ImageFile> = folders.parts.values().flatten().collect();
    let mut sizes: BTreeMap<[usize; 2], (usize, &ImageFile)> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for (number, block) in files.chunks(BLOCK).enumerate() {
        report_progress(progress, "reading image sizes", number * BLOCK, files.len())?;
        let found: Vec<_> =
            block.par_iter().map(|file| (*file, image_file::image_size(&file.path))).collect();
        for (file, size) in found {
            match size {
                Ok(size) => sizes.entry(size).or_insert((0, file)).0 += 1,
                Err(error) => unreadable.push(file.unreadable(&error)),
            }
        }
    }
    let mut sizes: Vec<_> =
        sizes.into_iter().map(|(size, (count, file))| (size, count, file.path.clone())).collect();
    sizes.sort_by_key(|(_, count, _)| usize::MAX - count);
    match sizes.as_slice() {
        [] => Err(ConvertError::UnreadableImages { images: unreadable }),
        [(size, ..)] => Ok(*size),
        _ => Err(ConvertError::different_sizes(sizes)),
    }
}

impl ImageFolders {
    /// Removes unreadable images. Fails if no training image of a class, or no image of a split, is
    /// left.
    fn remove(&mut self, images: &[UnreadableImage]) -> Result<(), ConvertError> {
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
                return Err(ConvertError::layout(first, found, remedy));
            }
        }
        Ok(())
    }
}

fn labels(files: &[ImageFile]) -> BTreeSet<u32> {
    files.iter().map(|file| file.label).collect()
}
