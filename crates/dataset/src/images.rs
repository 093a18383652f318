use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;

/// Images of one size with their labels, in host memory, in the order of their source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImages {
    /// Height, width and channels of every image.
    pub shape: [usize; 3],
    /// All pixels, shape `[count, height, width, channels]`, row-major.
    pub pixels: Vec<u8>,
    /// One class index an image, each below the number of classes of its source.
    pub labels: Vec<u32>,
}

impl LabelledImages {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of values of an image: height x width x channels.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }

    /// The pixels of image `index`, shape `[height, width, channels]`.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn pixels_of(&self, index: usize) -> &[u8] {
        let values = self.values();
        &self.pixels[index * values..][..values]
    }

    /// The images at `indices`, in their order.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            shape: self.shape,
            pixels: indices.iter().flat_map(|&index| self.pixels_of(index)).copied().collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// SHA-256 of shape, pixels and labels, in hexadecimal: equal for equal content, however it
    /// is stored.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        self.shape.iter().for_each(|&size| hash.update((size as u64).to_le_bytes()));
        hash.update(&self.pixels);
        self.labels.iter().for_each(|label| hash.update(label.to_le_bytes()));
        hexadecimal(&hash.finalize())
    }
}
