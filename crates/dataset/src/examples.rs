use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;

/// Labelled examples of one shape in host memory, in the order of their source.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// Height, width and channels of every image; 1, 1 and their number for plain features.
    pub shape: [usize; 3],
    /// What is known of all examples, shape `[count, height, width, channels]`, row-major.
    pub values: Values,
    /// One class index an example, each below the number of classes of its source.
    pub labels: Vec<u32>,
}

/// What examples are made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Of images: pixels from 0 to 255.
    Pixels(Vec<u8>),
    /// Of anything else: finite numbers.
    Features(Vec<f32>),
}

impl Examples {
    /// Images of `shape`, with `pixels` `[count, height, width, channels]`.
    pub fn images(shape: [usize; 3], pixels: Vec<u8>, labels: Vec<u32>) -> Self {
        Self { shape, values: Values::Pixels(pixels), labels }
    }

    /// Examples of so many features each, `[count, width]`.
    pub fn features(width: usize, features: Vec<f32>, labels: Vec<u32>) -> Self {
        Self { shape: [1, 1, width], values: Values::Features(features), labels }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether they are images.
    pub fn are_images(&self) -> bool {
        matches!(self.values, Values::Pixels(_))
    }

    /// The number of values of an example: height x width x channels.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The examples at `indices`, in their order.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn select(&self, indices: &[usize]) -> Self {
        let width = self.width();
        let values = match &self.values {
            Values::Pixels(pixels) => Values::Pixels(rows(pixels, width, indices)),
            Values::Features(features) => Values::Features(rows(features, width, indices)),
        };
        Self { shape: self.shape, values, labels: self.labels_at(indices) }
    }

    /// The labels of the examples at `indices`.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn labels_at(&self, indices: &[usize]) -> Vec<u32> {
        rows(&self.labels, 1, indices)
    }

    /// The values of the examples at `indices` as numbers, `[indices.len(), width]`.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn gather(&self, indices: &[usize]) -> Vec<f32> {
        let width = self.width();
        match &self.values {
            Values::Pixels(pixels) => {
                let mut gathered = Vec::with_capacity(indices.len() * width);
                for &index in indices {
                    let row = row(pixels, width, index);
                    gathered.extend(row.iter().map(|&pixel| f32::from(pixel)));
                }
                gathered
            }
            Values::Features(features) => rows(features, width, indices),
        }
    }

    /// The example at `index` of `values`, those of all examples.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub(crate) fn row<'a, T>(&self, values: &'a [T], index: usize) -> &'a [T] {
        row(values, self.width(), index)
    }

    /// SHA-256 of shape, values and labels, in hexadecimal: equal for equal content, however it
    /// is stored.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        self.shape.iter().for_each(|&size| hash.update((size as u64).to_le_bytes()));
        match &self.values {
            Values::Pixels(pixels) => hash.update(pixels),
            Values::Features(features) => {
                features.iter().for_each(|feature| hash.update(feature.to_le_bytes()));
            }
        }
        self.labels.iter().for_each(|label| hash.update(label.to_le_bytes()));
        hexadecimal(&hash.finalize())
    }
}

/// The rows at `indices` of `values`, `[count, width]`.
fn rows<T: Copy>(values: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let mut rows = Vec::with_capacity(indices.len() * width);
    indices.iter().for_each(|&index| rows.extend_from_slice(row(values, width, index)));
    rows
}

#[expect(clippy::indexing_slicing, reason = "going on without a row would train on other data")]
fn row<T>(values: &[T], width: usize, index: usize) -> &[T] {
    &values[index * width..][..width]
}
