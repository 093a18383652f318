use std::sync::Arc;

use data::{RowSource, SourceError, Values};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::decode::{DecodedImage, read};
use super::error::{ImagesError, UnreadableImage};
use super::frame::Frame;
use super::scan::ImageFile;

/// Images that are decoded whenever they are read, by all threads. Their files must not change.
#[derive(Debug)]
pub struct ImageRows {
    pub files: Arc<[ImageFile]>,
    /// SHA-256 of each file.
    pub checksums: Arc<[[u8; 32]]>,
    pub frame: Frame,
}

impl ImageRows {
    fn decode(&self, row: usize) -> Result<Vec<u8>, SourceError> {
        let (Some(file), Some(checksum)) = (self.files.get(row), self.checksums.get(row)) else {
            return Err(format!("there is no image {row}").into());
        };
        let failed = |reason: String| {
            let image = UnreadableImage { path: file.path.clone(), reason };
            ImagesError::UnreadableImages { images: vec![image] }
        };
        let bytes = read(&file.path).map_err(|error| failed(error.to_string()))?;
        if Sha256::digest(&bytes)[..] != *checksum {
            return Err(failed("the file has changed while it was in use".to_owned()).into());
        }
        let image = DecodedImage::decode(&bytes).map_err(|error| failed(error.to_string()))?;
        Ok(image.pixels(self.frame))
    }
}

impl RowSource for ImageRows {
    fn count(&self) -> usize {
        self.files.len()
    }

    fn holds_pixels(&self) -> bool {
        true
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn read(&self, rows: &[usize]) -> Result<Values, SourceError> {
        let images = rows.par_iter().map(|&row| self.decode(row));
        let images: Vec<_> = images.collect::<Result<_, SourceError>>()?;
        Ok(Values::Pixels(images.concat()))
    }
}
