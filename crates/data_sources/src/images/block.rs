use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::decode::{DecodedImage, ImageFileError};
use super::error::counted;
use super::frame::Frame;

/// Number of images decoded at once by all threads. Large photographs take long.
pub const BLOCK: usize = 32;

/// Properties of a set of images that their pixels no longer show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// Whether any image has colours.
    pub has_colours: bool,
    /// Number of images with 16 bits per sample.
    pub deep: usize,
    /// Number of bits that the samples of these images use.
    pub used_bits: u32,
}

impl ImageFacts {
    /// Adds the images of another set.
    pub fn merge(&mut self, other: Self) {
        self.has_colours |= other.has_colours;
        self.deep += other.deep;
        self.used_bits = self.used_bits.max(other.used_bits);
    }

    /// Warns of images that are nearly black, since they use only the low bits of their samples.
    pub fn warning(&self) -> Option<String> {
        let Self { deep, used_bits, .. } = self;
        let factor = 1_u32.checked_shl(u16::BITS.saturating_sub(*used_bits))?;
        (*deep > 0 && *used_bits < u16::BITS).then(|| {
            format!(
                "{} with 16 bits per sample use only {used_bits} of them, and are darker than they should be: multiply their samples by {factor}",
                counted(*deep, "image")
            )
        })
    }
}

/// Decodes images by all threads, each into one row of pixels per frame.
pub fn decode_block(
    files: &[impl AsRef<Path> + Sync],
    frames: &[Frame],
    facts: &mut ImageFacts,
) -> Vec<Result<Vec<Vec<u8>>, ImageFileError>> {
    let decoded = files.par_iter().map(|file| {
        let image = DecodedImage::open(file.as_ref())?;
        Ok((frames.iter().map(|&frame| image.pixels(frame)).collect(), image.facts))
    });
    let decoded: Vec<Result<_, ImageFileError>> = decoded.collect();
    let images = decoded.into_iter().map(|image| {
        let (rows, own) = image?;
        facts.merge(own);
        Ok(rows)
    });
    images.collect()
}
