use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data::{Examples, SplitKind};
use data_hdf5::FileContents;

use super::converted_dataset::ConvertedSplit;
use super::error::ConvertError;
use super::progress::{ProgressCallback, report_progress};
use crate::images::{
    BLOCK, Frame, ImageFacts, ImageFile, ImageList, ImagesError, UnreadableImage, decode_block,
};

/// Conversion of image files to HDF5 files.
pub struct ImageConversion<'a, 'w> {
    pub images: &'a ImageList,
    /// Frame of the stored images.
    pub frame: Frame,
    /// Number of images read.
    pub done: usize,
    pub facts: ImageFacts,
    pub unreadable: Vec<UnreadableImage>,
    /// The images of each part in the frame in which images are compared; `None` if they are not needed.
    pub compared: Option<BTreeMap<SplitKind, Vec<u8>>>,
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
        for (&split, files) in &self.images.parts {
            let (path, final_path) = paths(split);
            match self.write(&path, split, files).map_err(|error| error.at(&final_path)) {
                // Reported with those of the other splits.
                Err(ConvertError::Images(ImagesError::UnreadableImages { .. })) => {}
                written => written?,
            }
            let labels = files.iter().map(|file| file.label);
            let classes = self.images.classes.len();
            converted.push(ConvertedSplit::new(split, final_path, labels, classes));
        }
        if self.unreadable.is_empty() {
            Ok(converted)
        } else {
            let images = std::mem::take(&mut self.unreadable);
            Err(ImagesError::UnreadableImages { images }.into())
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
            shape: self.frame.shape,
            are_images: true,
            fit: Some(self.frame.fit),
            classes: &self.images.classes,
            synthetic: self.images.synthetic,
        };
        let before = self.unreadable.len();
        contents.write(path, |items| {
            let is_last = items.end == files.len();
            let block = self.read(split, files.get(items).unwrap_or_default())?;
            if is_last && self.unreadable.len() > before {
                return Err(ImagesError::UnreadableImages { images: Vec::new() }.into());
            }
            Ok(block)
        })
    }

    /// Reads images of `split`. An unreadable one is noted, and is black.
    fn read(&mut self, split: SplitKind, files: &[ImageFile]) -> Result<Examples, ConvertError> {
        let mut pixels = Vec::with_capacity(files.len() * self.frame.bytes());
        let frames = [self.frame, Frame::STANDARD];
        let frames = if self.compared.is_some() { &frames[..] } else { &frames[..1] };
        for files in files.chunks(BLOCK) {
            report_progress(self.progress, "reading images", self.done, self.images.count())?;
            let images = decode_block(files, frames, &mut self.facts);
            for (file, image) in files.iter().zip(images) {
                let rows = image.unwrap_or_else(|error| {
                    self.unreadable.push(file.unreadable(&error));
                    frames.iter().map(|frame| vec![0; frame.bytes()]).collect()
                });
                let compared = self.compared.as_mut().map(|parts| parts.entry(split).or_default());
                for (part, row) in [Some(&mut pixels), compared].into_iter().zip(rows) {
                    part.into_iter().for_each(|part| part.extend_from_slice(&row));
                }
            }
            self.done += files.len();
        }
        let labels = files.iter().map(|file| file.label).collect();
        Ok(Examples::images(self.frame.shape, pixels, labels))
    }
}
