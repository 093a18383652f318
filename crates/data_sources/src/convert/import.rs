use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::{Fit, SplitKind};
use data_hdf5::Residency;
use rayon::prelude::*;
use serde::Serialize;

use super::converted_dataset::ConvertedDataset;
use super::error::ConvertError;
use super::image_conversion::ImageConversion;
use super::new_directory::{NewDirectory, NewParents, check_free};
use super::partition::{Partition, file_name};
use super::progress::{ProgressCallback, report_progress};
use crate::images::{
    Frame, ImageFacts, ImageFile, ImageHeader, ImageList, ImagesError, Labelling, UnreadableImage,
    first_few,
};

/// Import of image folders to HDF5 files.
#[derive(Debug, Clone)]
pub struct Import {
    /// Folders that contain classes, or splits that contain classes.
    pub folders: Vec<PathBuf>,
    /// Source of the labels.
    pub labelling: Labelling,
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
    /// What was inferred about the labels, one sentence each.
    pub notes: Vec<String>,
    /// Likely mistakes in the images, one sentence each.
    pub warnings: Vec<String>,
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
        let mut folders = ImageList::scan(&self.folders, &self.labelling)?;
        self.check(&folders, out)?;
        let mut skipped = Vec::new();
        loop {
            match self.write(&folders, out, progress) {
                Err(ConvertError::Images(ImagesError::UnreadableImages { images }))
                    if self.skip_corrupt =>
                {
                    folders.remove(&images)?;
                    skipped.extend(images);
                }
                written => {
                    let (dataset, facts) = written?;
                    return Ok(ImportedDataset {
                        dataset,
                        skipped,
                        left_out: folders.left_out,
                        all_grey: !facts.has_colours && !self.grey,
                        notes: folders.notes,
                        warnings: facts.warning().into_iter().collect(),
                    });
                }
            }
        }
    }

    /// Checks that do not require reading images.
    fn check(&self, folders: &ImageList, out: &Path) -> Result<(), ConvertError> {
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

    /// Writes the data set.
    fn write(
        &self,
        folders: &ImageList,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<(ConvertedDataset, ImageFacts), ConvertError> {
        let shape = self.shape(folders, progress)?;
        let mut conversion = ImageConversion {
            images: folders,
            frame: Frame { shape, fit: self.fit },
            done: 0,
            facts: ImageFacts::default(),
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
            return Ok((dataset, conversion.facts));
        }
        let directory = NewDirectory::create(out)?;
        let unsplit = directory.partial().join(UNSPLIT);
        dataset.parts = conversion.write_all(|split| match (&self.partition, split) {
            (Some(_), SplitKind::Train) => (unsplit.clone(), out.to_owned()),
            _ => (directory.partial().join(file_name(split)), out.join(file_name(split))),
        })?;
        let facts = conversion.facts;
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
        Ok((dataset, facts))
    }

    /// Shape of the stored images, `[height, width, channels]`.
    fn shape(
        &self,
        folders: &ImageList,
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
    folders: &ImageList,
    progress: &mut ProgressCallback,
) -> Result<[usize; 2], ConvertError> {
    let files: Vec<&ImageFile> = folders.parts.values().flatten().collect();
    let mut sizes: BTreeMap<[usize; 2], (usize, &ImageFile)> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for (number, block) in files.chunks(BLOCK).enumerate() {
        report_progress(progress, "reading image sizes", number * BLOCK, files.len())?;
        let found: Vec<_> =
            block.par_iter().map(|file| (*file, ImageHeader::open(&file.path))).collect();
        for (file, size) in found {
            match size {
                Ok(header) => sizes.entry(header.size).or_insert((0, file)).0 += 1,
                Err(error) => unreadable.push(file.unreadable(&error)),
            }
        }
    }
    let mut sizes: Vec<_> =
        sizes.into_iter().map(|(size, (count, file))| (size, count, file.path.clone())).collect();
    sizes.sort_by_key(|(_, count, _)| usize::MAX - count);
    match sizes.as_slice() {
        [] => Err(ImagesError::UnreadableImages { images: unreadable }.into()),
        [(size, ..)] => Ok(*size),
        _ => Err(ImagesError::different_sizes(sizes).into()),
    }
}
