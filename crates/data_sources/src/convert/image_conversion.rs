use std::path::{Path, PathBuf};

use data::{Examples, SplitKind};
use data_hdf5::FileContents;
use rayon::prelude::*;

use super::converted_dataset::ConvertedSplit;
use super::error::{ConvertError, UnreadableImage};
use super::image_folders::{ImageFile, ImageFolders};
use super::progress::{ProgressCallback, report_progress};
use crate::image_file::{self, Fit, ImageFileError};

/// Number of images between two calls of the progress callback. Large photographs take long.
const BLOCK: usize = 32;

/// Conversion of image files to HDF5 files.
pub struct ImageConversion<'a, 'w> {
    pub fit: Fit,
    pub folders: &'a ImageFolders,
    /// Shape of the stored images, `[height, width, channels]`.
    pub shape: [usize; 3],
    /// Number of images read.
    pub done: usize,
    /// Whether any image has colours.
    pub has_colours: bool,
    pub unreadable: Vec<UnreadableImage>,
    pub progress: &'a mut ProgressCallback<'w>,
}

impl ImageConversion<'_, '_> {
    /// Writes each split. `paths` returns the path to write to and the final path, for reports. Reads
    /// all images before it fails, to report all unreadable ones.
    pub fn write_all(
        &mut self,
        paths: impl Fn(SplitKind) -> (PathBuf, PathBuf),
    ) -> Result<Vec<ConvertedSplit>, ConvertError> {
        let mut converted = Vec::new();
        for (&split, files) in &self.folders.parts {
            let (path, final_path) = paths(split);
            match self.write(&path, split, files).map_err(|error| error.at(&final_path)) {
                // Reported with those of the other splits.
                Err(ConvertError::UnreadableImages { .. }) => {}
                written => written?,
            }
            let labels = files.iter().map(|file| file.label);
            let classes = self.folders.classes.len();
            converted.push(ConvertedSplit::new(split, final_path, labels, classes));
        }
        if self.unreadable.is_empty() {
            Ok(converted)
        } else {
            Err(ConvertError::UnreadableImages { images: std::mem::take(&mut self.unreadable) })
        }
    }

    fn write(
        &mut self,
        path: &Path,
        split: SplitKind,
        files: &[ImageFile],
    ) -> Result<(), ConvertError> {
        let contents = FileContents {
            split,
            count: files.len(),
            shape: self.shape,
            are_images: true,
            classes: &self.folders.classes,
            synthetic: self.folders.synthetic,
        };
        let before = self.unreadable.len();
        contents.write(path, |items| {
            let is_last = items.end == files.len();
            let block = self.read(files.get(items).unwrap_or_default())?;
            if is_last && self.unreadable.len() > before {
                return Err(ConvertError::UnreadableImages { images: Vec::new() });
            }
            Ok(block)
        })
    }

    /// Reads images. An unreadable one is noted, and is black.
    fn read(&mut self, files: &[ImageFile]) -> Result<Examples, ConvertError> {
        let (fit, shape) = (self.fit, self.shape);
        let row = shape.iter().product::<usize>();
        let mut pixels = Vec::with_capacity(files.len() * row);
        for files in files.chunks(BLOCK) {
            report_progress(self.progress, "reading images", self.done, self.folders.count())?;
            let read: Vec<_> = files.par_iter().map(|file| read_pixels(file, shape, fit)).collect();
            for (file, read) in files.iter().zip(read) {
                let (image, has_colours) = read.unwrap_or_else(|error| {
                    self.unreadable.push(file.unreadable(&error));
                    (vec![0; row], false)
                });
                pixels.extend(image);
                self.has_colours |= has_colours;
            }
            self.done += files.len();
        }
        Ok(Examples::images(shape, pixels, files.iter().map(|file| file.label).collect()))
    }
}

/// Pixels of an image, and whether it has colours.
fn read_pixels(
    file: &ImageFile,
    shape: [usize; 3],
    fit: Fit,
) -> Result<(Vec<u8>, bool), ImageFileError> {
    let image = image_file::open_image(&file.path)?;
    Ok((image_file::pixels(&image, shape, fit), image.color().has_color()))
}
