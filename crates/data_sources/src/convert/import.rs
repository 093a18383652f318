use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::{Examples, Fit, LoadedDataset, Origin, SplitKind};
use data_hdf5::Residency;
use rayon::prelude::*;
use serde::Serialize;
use support::memory;

use super::converted_dataset::ConvertedDataset;
use super::error::ConvertError;
use super::image_conversion::ImageConversion;
use super::new_directory::{NewDirectory, NewParents, check_free};
use super::part_writer::write_manifest;
use super::partition::{Partition, file_name};
use super::progress::{ProgressCallback, report_progress};
use crate::images::{
    Frame, ImageFacts, ImageFile, ImageHeader, ImageList, ImagesError, Labelling, UnreadableImage,
    file_checksums, first_few,
};
use crate::manifest::{self, ManifestRow, manifest_path};
use crate::quality::Leak;

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

/// Images are compared in the standard frame if they take at most this share of the free memory in it,
/// otherwise as they are stored.
const MEMORY_SHARE: u64 = 4;

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
                    let (dataset, facts, leaks) = written?;
                    return Ok(ImportedDataset {
                        dataset,
                        skipped,
                        left_out: folders.left_out,
                        all_grey: !facts.has_colours && !self.grey,
                        notes: folders.notes,
                        warnings: facts.warning().into_iter().chain(leaks).collect(),
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

    /// Writes the data set. Returns warnings of near-duplicates across the parts of the folders too.
    fn write(
        &self,
        folders: &ImageList,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<(ConvertedDataset, ImageFacts, Vec<String>), ConvertError> {
        let shape = self.shape(folders, progress)?;
        let is_compared = self.partition.is_some() || folders.parts.len() > 1;
        let bytes = (folders.count() * Frame::STANDARD.bytes()) as u64;
        let has_room = memory::available().is_none_or(|free| bytes <= free / MEMORY_SHARE);
        let mut conversion = ImageConversion {
            images: folders,
            frame: Frame { shape, fit: self.fit },
            done: 0,
            facts: ImageFacts::default(),
            unreadable: Vec::new(),
            compared: (is_compared && has_room).then(BTreeMap::new),
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
            let facts = conversion.facts;
            write_manifest(&manifest_path(out), rows_of(folders, &self.origins(folders)))?;
            parents.keep();
            return Ok((dataset, facts, Vec::new()));
        }
        let directory = NewDirectory::create(out)?;
        let unsplit = directory.partial().join(UNSPLIT);
        dataset.parts = conversion.write_all(|split| match (&self.partition, split) {
            (Some(_), SplitKind::Train) => (unsplit.clone(), out.to_owned()),
            _ => (directory.partial().join(file_name(split)), out.join(file_name(split))),
        })?;
        let (facts, compared) = (conversion.facts, conversion.compared);
        let mut origins = self.origins(folders);
        let warnings = leaks(folders, &origins, compared.as_ref())?;
        let mut rows = Vec::new();
        if let Some(partition) = &self.partition {
            let mut file = data_hdf5::open(&unsplit, SplitKind::Train, Residency::Automatic)?;
            file.examples.origins = origins.remove(&SplitKind::Train).unwrap_or_default();
            let pixels = compared.and_then(|mut parts| parts.remove(&SplitKind::Train));
            file.examples.standard = pixels.map(|pixels| {
                let labels = file.examples.labels.clone();
                Box::new(Examples::images(Frame::STANDARD.shape, pixels, labels))
            });
            let (split, of_split) =
                partition.split_file(file, directory.partial(), out, progress)?;
            fs::remove_file(&unsplit).map_err(ConvertError::unwritable(&unsplit))?;
            rows.extend(of_split);
            dataset.parts.retain(|part| part.part != SplitKind::Train);
            dataset.parts.extend(split.parts);
            dataset.parts.sort_by_key(|part| part.part);
            dataset.duplicate_groups = split.duplicate_groups;
        }
        rows.extend(rows_of(folders, &origins));
        write_manifest(&directory.partial().join(manifest::FILE_NAME), rows)?;
        directory.finish()?;
        Ok((dataset, facts, warnings))
    }

    /// Origins of the images of each part, with paths relative to the folder if there is one.
    fn origins(&self, folders: &ImageList) -> BTreeMap<SplitKind, Vec<Origin>> {
        let origin = |(file, sha256): (&ImageFile, [u8; 32])| {
            let path = match self.folders.as_slice() {
                [folder] => file.path.strip_prefix(folder).unwrap_or(&file.path),
                _ => &file.path,
            };
            Origin { file: path.display().to_string().into(), sha256, group: None }
        };
        let parts = folders.parts.iter().map(|(split, files)| {
            (*split, files.iter().zip(file_checksums(files, None)).map(origin).collect())
        });
        parts.collect()
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

/// Rows of the manifest of the parts with these origins.
fn rows_of(folders: &ImageList, origins: &BTreeMap<SplitKind, Vec<Origin>>) -> Vec<ManifestRow> {
    let rows = origins.iter().flat_map(|(split, origins)| {
        let labels = folders.parts.get(split).into_iter().flatten().map(|file| file.label);
        manifest::rows(*split, origins.iter().zip(labels), &folders.classes)
    });
    rows.collect()
}

/// Warnings of images with a near-duplicate in another part, by the images in the standard frame.
fn leaks(
    folders: &ImageList,
    origins: &BTreeMap<SplitKind, Vec<Origin>>,
    compared: Option<&BTreeMap<SplitKind, Vec<u8>>>,
) -> Result<Vec<String>, ConvertError> {
    let images = |split: SplitKind| {
        let labels = folders.parts.get(&split)?.iter().map(|file| file.label).collect();
        let pixels = compared?.get(&split)?.clone();
        let images = Examples::images(Frame::STANDARD.shape, pixels, labels);
        Some(Examples { origins: origins.get(&split).cloned().unwrap_or_default(), ..images })
    };
    let (true, Some(train)) = (folders.parts.len() > 1, images(SplitKind::Train)) else {
        return Ok(Vec::new());
    };
    let mut source = LoadedDataset::of_training_set(train, folders.classes.clone());
    source.validation = images(SplitKind::Validation);
    source.test = images(SplitKind::Test);
    Ok(Leak::find(&source)?.iter().map(Leak::warning).collect())
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
