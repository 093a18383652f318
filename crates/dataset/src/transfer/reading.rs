use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::folders::{Folders, ImageFile};
use super::{Import, MadePart, Role, TransferError, UnusableImage, Watch, watched};
use crate::examples::Examples;
use crate::hdf5::Contents;

/// The images that are read before it is asked whether to go on: photographs take a while.
const AT_ONCE: usize = 32;

/// Images on their way into files.
pub struct Reading<'a, 'w> {
    pub import: &'a Import,
    pub folders: &'a Folders,
    pub shape: [usize; 3],
    /// How many are read.
    pub done: usize,
    pub has_colours: bool,
    pub unusable: Vec<UnusableImage>,
    pub watch: &'a mut Watch<'w>,
}

impl Reading<'_, '_> {
    /// Writes each part to the first of two paths, from where it will be moved to the second. All
    /// images are read before those that cannot be are told.
    pub fn write_all(
        &mut self,
        paths: impl Fn(Role) -> (PathBuf, PathBuf),
    ) -> Result<Vec<MadePart>, TransferError> {
        let mut made = Vec::new();
        for (&role, files) in &self.folders.parts {
            let (path, place) = paths(role);
            match self.write(&path, role, files).map_err(|error| error.of(&place)) {
                // Told with those of the other parts.
                Err(TransferError::Unusable { .. }) => {}
                written => written?,
            }
            let labels = files.iter().map(|file| file.label);
            made.push(MadePart::new(role, place, labels, self.folders.classes.len()));
        }
        match self.unusable.is_empty() {
            true => Ok(made),
            false => Err(TransferError::Unusable { images: std::mem::take(&mut self.unusable) }),
        }
    }

    fn write(&mut self, path: &Path, role: Role, files: &[ImageFile]) -> Result<(), TransferError> {
        let contents = Contents {
            part: role.set(),
            count: files.len(),
            shape: self.shape,
            are_images: true,
            classes: &self.folders.classes,
            stand_in: self.folders.stand_in,
        };
        let before = self.unusable.len();
        contents.write(path, |items| {
            let is_last = items.end == files.len();
            let block = self.read(files.get(items).unwrap_or_default())?;
            match is_last && self.unusable.len() > before {
                true => Err(TransferError::Unusable { images: Vec::new() }),
                false => Ok(block),
            }
        })
    }

    /// Some images; in place of one that cannot be read a black one.
    fn read(&mut self, files: &[ImageFile]) -> Result<Examples, TransferError> {
        let (import, shape) = (self.import, self.shape);
        let row = shape.iter().product::<usize>();
        let mut pixels = Vec::with_capacity(files.len() * row);
        for files in files.chunks(AT_ONCE) {
            watched(self.watch, "reading images", self.done, self.folders.count())?;
            let read: Vec<_> = files.par_iter().map(|file| import.pixels(file, shape)).collect();
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
