use std::path::{Path, PathBuf};

use data::{Examples, SplitKind};
use data_hdf5::FileContents;
use rayon::prelude::*;

use super::error::{ConvertError, UnusableImage};
use super::folders::{Folders, ImageFile};
use super::made::MadePart;
use super::progress::{ProgressCallback, report_progress};
use crate::image_file::{self, Fit, ImageFileError};

/// The images that are read before it is asked whether to go on: photographs take a while.
const AT_ONCE: usize = 32;

/// Images on their way into files.
pub struct Reading<'a, 'w> {
    pub fit: Fit,
    pub folders: &'a Folders,
    pub shape: [usize; 3],
    /// How many are read.
    pub done: usize,
    pub has_colours: bool,
    pub unusable: Vec<UnusableImage>,
    pub progress: &'a mut ProgressCallback<'w>,
}

impl Reading<'_, '_> {
    /// Writes each part to the first of two paths, from where it will be moved to the second. All
    /// images are read before those that cannot be are told.
    pub fn write_all(
        &mut self,
        paths: impl Fn(SplitKind) -> (PathBuf, PathBuf),
    ) -> Result<Vec<MadePart>, ConvertError> {
        let mut made = Vec::new();
        for (&split, files) in &self.folders.parts {
            let (path, place) = paths(split);
            match self.write(&path, split, files).map_err(|error| error.of(&place)) {
                // Told with those of the other parts.
                Err(ConvertError::Unusable { .. }) => {}
                written => written?,
            }
            let labels = files.iter().map(|file| file.label);
            made.push(MadePart::new(split, place, labels, self.folders.classes.len()));
        }
        match self.unusable.is_empty() {
            true => Ok(made),
            false => Err(ConvertError::Unusable { images: std::mem::take(&mut self.unusable) }),
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
        let before = self.unusable.len();
        contents.write(path, |items| {
            let is_last = items.end == files.len();
            let block = self.read(files.get(items).unwrap_or_default())?;
            match is_last && self.unusable.len() > before {
                true => Err(ConvertError::Unusable { images: Vec::new() }),
                false => Ok(block),
            }
        })
    }

    /// Some images; in place of one that cannot be read a black one.
    fn read(&mut self, files: &[ImageFile]) -> Result<Examples, ConvertError> {
        let (fit, shape) = (self.fit, self.shape);
        let row = shape.iter().product::<usize>();
        let mut pixels = Vec::with_capacity(files.len() * row);
        for files in files.chunks(AT_ONCE) {
            report_progress(self.progress, "reading images", self.done, self.folders.count())?;
            let read: Vec<_> = files.par_iter().map(|file| read_pixels(file, shape, fit)).collect();
            for (file, read) in files.iter().zip(read) {
                let (image, has_colours) = read.unwrap_or_else(|error| {
                    self.unusable.push(file.unusable(&error));
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

/// Returns the pixels of an image, and whether it has colours.
fn read_pixels(
    file: &ImageFile,
    shape: [usize; 3],
    fit: Fit,
) -> Result<(Vec<u8>, bool), ImageFileError> {
    let image = image_file::open_image(&file.path)?;
    Ok((image_file::pixels(&image, shape, fit), image.color().has_color()))
}
