use data::{Examples, RowSource, SourceError, Values};
use rayon::prelude::*;

use crate::images::Frame;
use crate::quality::map_images;

/// Resizes images: at once if they are in memory, otherwise whenever they are read.
pub fn resized(images: &Examples, frame: Frame) -> Examples {
    if images.shape == frame.shape {
        return images.clone();
    }
    let labels = images.labels.clone();
    match &images.values {
        Values::Pixels(pixels) => Examples::images(frame.shape, all(images, pixels, frame), labels),
        _ => Examples::stored(frame.shape, ResizedRows { images: images.clone(), frame }, labels),
    }
}

/// All images with these `pixels` in `frame`.
fn all(images: &Examples, pixels: &[u8], frame: Frame) -> Vec<u8> {
    let mut resized = vec![0; images.len() * frame.bytes()];
    let rows = resized.par_chunks_exact_mut(frame.bytes().max(1));
    let rows = rows.zip(pixels.par_chunks_exact(images.width().max(1)));
    rows.for_each(|(row, pixels)| row.copy_from_slice(&frame.of_pixels(pixels, images.shape)));
    resized
}

/// Images that are resized whenever they are read, by all threads.
#[derive(Debug)]
struct ResizedRows {
    images: Examples,
    frame: Frame,
}

impl RowSource for ResizedRows {
    fn count(&self) -> usize {
        self.images.len()
    }

    fn holds_pixels(&self) -> bool {
        true
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn read(&self, rows: &[usize]) -> Result<Values, SourceError> {
        let resize = |_, pixels: &[u8]| self.frame.of_pixels(pixels, self.images.shape);
        let resized = map_images(&self.images, rows, resize)?;
        if resized.len() != rows.len() {
            return Err("no pixels were read".into());
        }
        Ok(Values::Pixels(resized.concat()))
    }
}
