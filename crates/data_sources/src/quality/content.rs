//! Content of single examples.

use data::{DatasetError, Examples, Values};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// SHA-256 of the file of an example if it is known, otherwise of its values.
pub type ContentKey = [u8; 32];

/// Content key of each example. It does not depend on the order of the examples nor, if their files or
/// their images in the standard shape are known, on the size that they were converted to.
pub fn content_keys(examples: &Examples) -> Result<Vec<ContentKey>, DatasetError> {
    if examples.origins.len() == examples.len() {
        return Ok(examples.origins.iter().map(|origin| origin.sha256).collect());
    }
    checksums(examples.standard.as_deref().unwrap_or(examples))
}

/// SHA-256 of the values of each example.
pub fn checksums(examples: &Examples) -> Result<Vec<ContentKey>, DatasetError> {
    let mut checksums = Vec::with_capacity(examples.len());
    let width = examples.width().max(1);
    examples.each_block(|block| match &block.values {
        Values::Pixels(pixels) => {
            let images = pixels.par_chunks_exact(width);
            checksums.append(&mut images.map(|image| Sha256::digest(image).into()).collect());
        }
        Values::Features(features) => {
            checksums.extend(features.chunks_exact(width).map(|row| {
                let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
                ContentKey::from(Sha256::digest(bytes))
            }));
        }
        // `each_block` passes values in memory.
        Values::Stored(_) => {}
    })?;
    Ok(checksums)
}

/// Applies `map` to each index and the pixels of its image, by all threads. Features have no pixels: none is
/// returned.
pub fn map_images<T: Send>(
    images: &Examples,
    indices: &[usize],
    map: impl Fn(usize, &[u8]) -> T + Sync,
) -> Result<Vec<T>, DatasetError> {
    let (images, rows) = images.in_memory(indices)?;
    let Values::Pixels(pixels) = &images.values else { return Ok(Vec::new()) };
    let rows = indices.par_iter().zip(&rows[..]);
    Ok(rows.map(|(&index, &row)| map(index, images.row(pixels, row))).collect())
}
