use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::{Examples, Fit, SplitKind};
use rayon::prelude::*;
use serde::Serialize;

use super::dataset_writer::{ConvertedDataset, DatasetWriter};
use super::error::{ConvertError, ProgressCallback, report_progress};
use super::new_output::{NewOutput, check_free};
use crate::images::{
    Frame, ImageFile, ImageHeader, ImageList, ImagesError, Labelling, LoadedImages, Loading,
    UnreadableImage, first_few,
};
use crate::quality::{Splitting, leak_warnings};

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
    pub partition: Option<Splitting>,
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

/// Temporary directory of the resized images.
const CACHE: &str = "cache";

impl Import {
    /// Writes the HDF5 file `out`, or a directory with one file per split if `out` does not end in
    /// `.h5` or `.hdf5`.
    ///
    /// The images of a folder are stored in the natural order of their names, across classes; several
    /// folders of a split follow one another. Fails if the layout of the folders is unsupported, images
    /// cannot be read or differ in size, or `out` exists.
    pub fn apply(
        &self,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<ImportedDataset, ConvertError> {
        let mut images = ImageList::scan(&self.folders, &self.labelling)?;
        self.check(&images, out)?;
        let channels = if self.grey { 1 } else { 3 };
        let [height, width] = match self.size {
            Some(size) => size,
            None => common_size(&images, progress)?,
        };
        let frame = Frame { shape: [height, width, channels], fit: self.fit };
        let output = if is_file(out) { NewOutput::file(out)? } else { NewOutput::directory(out)? };
        let cache = output.partial_of(Path::new(CACHE));
        let (total, are_several) = (images.count(), images.parts.len() > 1);
        let directory = self.folders.first().filter(|_| self.folders.len() == 1);
        let loading = Loading {
            frame,
            are_compared: are_several || self.partition.is_some(),
            directory: directory.map(PathBuf::as_path),
            skip_corrupt: self.skip_corrupt,
        };
        let mut on_block = |done| progress("reading images", done, total);
        let LoadedImages { parts, facts, unreadable } =
            loading.load(&mut images, Some(&cache), &mut on_block)?;
        let leaks = if are_several {
            let parts: Vec<_> = parts.iter().map(|(split, part)| (*split, part)).collect();
            leak_warnings(&parts)?
        } else {
            Vec::new()
        };
        let dataset = ConvertedDataset {
            shape: frame.shape,
            are_images: true,
            classes: images.classes,
            synthetic: images.synthetic,
            ..ConvertedDataset::default()
        };
        let total = parts.values().map(Examples::len).sum();
        let mut writer = DatasetWriter::new(output, dataset, Some(self.fit), total, progress);
        for (split, examples) in parts {
            match (&self.partition, split) {
                (Some(partition), SplitKind::Train) => partition.write(examples, &mut writer)?,
                _ => writer.write(split, &examples, &Vec::from_iter(0..examples.len()))?,
            }
        }
        fs::remove_dir_all(&cache).map_err(ConvertError::unwritable(&cache))?;
        Ok(ImportedDataset {
            dataset: writer.finish()?,
            skipped: unreadable,
            left_out: images.left_out,
            all_grey: !facts.has_colours && !self.grey,
            notes: images.notes,
            warnings: facts.warning().into_iter().chain(leaks).collect(),
        })
    }

    /// Checks that do not require reading images.
    fn check(&self, folders: &ImageList, out: &Path) -> Result<(), ConvertError> {
        if let Some(Splitting { config, .. }) = &self.partition {
            for split in [SplitKind::Validation, SplitKind::Test] {
                if config.fraction(split) > 0.0 && folders.parts.contains_key(&split) {
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
            return Err(ConvertError::in_use(out, "exists"));
        }
        let names: Vec<&str> = folders.parts.keys().map(|split| split.as_str()).collect();
        let splits = match &self.partition {
            Some(_) => "several splits".to_owned(),
            None if names.len() > 1 => format!("{} splits: {}", names.len(), first_few(&names)),
            None => return Ok(()),
        };
        let found = format!("is one file, but there are {splits}");
        let remedy = "choose a directory as the output path";
        Err(ConvertError::Output { path: out.to_owned(), found, remedy })
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
                Err(error) => {
                    let (path, reason) = (file.path.clone(), error.to_string());
                    unreadable.push(UnreadableImage { path, reason });
                }
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
