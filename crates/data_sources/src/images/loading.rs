use std::collections::BTreeMap;
use std::path::Path;

use data::{Examples, Origin, SplitKind};

use super::block::ImageFacts;
use super::cache::{CachedImages, OnBlock};
use super::error::{ImagesError, UnreadableImage};
use super::frame::Frame;
use super::scan::{ImageFile, ImageList};

/// How the images of a list become examples.
pub struct Loading<'a> {
    pub frame: Frame,
    /// Whether the examples have their images in the standard frame too, to be compared with each other.
    pub are_compared: bool,
    /// Directory that the paths of the origins are relative to.
    pub directory: Option<&'a Path>,
    pub skip_corrupt: bool,
}

/// The images of a list.
pub struct LoadedImages {
    pub parts: BTreeMap<SplitKind, Examples>,
    pub facts: ImageFacts,
    /// Images that were skipped.
    pub unreadable: Vec<UnreadableImage>,
}

impl Loading<'_> {
    /// Resizes the images, or finds them in the directory `cache`; see [`CachedImages::prepare`].
    /// Unreadable ones are removed from `list`.
    pub fn load(
        &self,
        list: &mut ImageList,
        cache: Option<&Path>,
        on_block: OnBlock,
    ) -> Result<LoadedImages, ImagesError> {
        let mut frames = vec![self.frame];
        frames.extend(self.are_compared.then_some(Frame::STANDARD));
        frames.dedup();
        let (mut done, mut parts) = (0, Vec::new());
        let (mut facts, mut unreadable) = (ImageFacts::default(), Vec::new());
        for (split, files) in &list.parts {
            let mut on_block = |of_part| on_block(done + of_part);
            let images = CachedImages::prepare(cache, files, &frames, &mut on_block)?;
            done += files.len();
            facts.merge(images.facts);
            unreadable.extend_from_slice(&images.unreadable);
            parts.push((*split, images));
        }
        if !unreadable.is_empty() && !self.skip_corrupt {
            return Err(ImagesError::UnreadableImages { images: unreadable });
        }
        list.remove(&unreadable)?;
        let parts = parts.into_iter().zip(list.parts.values());
        let parts = parts
            .map(|((split, images), files)| (split, self.examples(files, images, &frames)))
            .collect();
        Ok(LoadedImages { parts, facts, unreadable })
    }

    /// The examples of a part: its readable files, and their pixels in each frame.
    fn examples(&self, files: &[ImageFile], images: CachedImages, frames: &[Frame]) -> Examples {
        let labels: Vec<u32> = files.iter().map(|file| file.label).collect();
        let frames = images.values.into_iter().zip(frames);
        let mut frames =
            frames.map(|(values, frame)| Examples::new(frame.shape, values, labels.clone()));
        let examples = frames.next();
        let examples = examples.unwrap_or_else(|| Examples::images([0; 3], vec![], vec![]));
        let origin = |(file, sha256): (&ImageFile, [u8; 32])| {
            let relative =
                self.directory.and_then(|directory| file.path.strip_prefix(directory).ok());
            let path = relative.unwrap_or(&file.path);
            Origin { file: path.display().to_string().into(), sha256, group: None }
        };
        let origins = files.iter().zip(images.checksums).map(origin).collect();
        Examples { origins, standard: frames.next().map(Box::new), ..examples }
    }
}
