use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;
use crate::error::DatasetError;
use crate::hdf5::Stored;
use crate::work::Work;

/// Labelled examples of one shape, in the order of their source. Their values are in host memory,
/// or stay in a file that is larger.
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
    /// Of either, in a file.
    Stored(Stored),
}

/// How many examples are read at once from a file where all are.
const BLOCK: usize = 256;

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
        match &self.values {
            Values::Pixels(_) => true,
            Values::Features(_) => false,
            Values::Stored(stored) => stored.are_pixels(),
        }
    }

    /// The number of values of an example: height x width x channels.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The examples at `indices`, in their order. What lies in a file stays there.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn select(&self, indices: &[usize]) -> Self {
        let (labels, width) = (self.labels_at(indices), self.width());
        let values = match &self.values {
            Values::Pixels(pixels) => Values::Pixels(rows(pixels, width, indices)),
            Values::Features(features) => Values::Features(rows(features, width, indices)),
            Values::Stored(stored) => Values::Stored(stored.select(indices)),
        };
        Self { shape: self.shape, values, labels }
    }

    /// Examples in memory, and which of them are those at `indices`: what lies in a file is read.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no longer what it was.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn in_memory<'a>(
        &'a self,
        indices: &'a [usize],
    ) -> Result<(Cow<'a, Self>, Cow<'a, [usize]>), DatasetError> {
        let Values::Stored(stored) = &self.values else {
            return Ok((Cow::Borrowed(self), Cow::Borrowed(indices)));
        };
        let labels = self.labels_at(indices);
        let read = Self { shape: self.shape, values: stored.read(indices)?, labels };
        Ok((Cow::Owned(read), (0..indices.len()).collect()))
    }

    /// Shows all examples in their order: at once if they are in memory, else as many as are read
    /// from their file at once.
    pub(crate) fn each_block(&self, mut visit: impl FnMut(&Self)) -> Result<(), DatasetError> {
        if !matches!(self.values, Values::Stored(_)) {
            visit(self);
            return Ok(());
        }
        let all: Vec<usize> = (0..self.len()).collect();
        let work = Work::begin("reading the examples", all.len());
        for indices in all.chunks(BLOCK) {
            visit(&self.in_memory(indices)?.0);
            work.advance(indices.len());
        }
        Ok(())
    }

    /// Whether these are the same examples as `other`, wherever they lie.
    pub(crate) fn are_those_of(&self, other: &Self) -> Result<bool, DatasetError> {
        if (self.shape, &self.labels) != (other.shape, &other.labels) {
            return Ok(false);
        }
        if self.values == other.values {
            return Ok(true);
        }
        let all: Vec<usize> = (0..self.len()).collect();
        for indices in all.chunks(BLOCK) {
            if self.gather(indices)? != other.gather(indices)? {
                return Ok(false);
            }
        }
        Ok(self.are_images() == other.are_images())
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
    /// # Errors
    ///
    /// If they lie in a file that cannot be read, or is no longer what it was.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn gather(&self, indices: &[usize]) -> Result<Vec<f32>, DatasetError> {
        let (examples, indices) = self.in_memory(indices)?;
        let mut gathered = Vec::with_capacity(indices.len() * self.width());
        for &index in &*indices {
            match &examples.values {
                Values::Pixels(pixels) => {
                    gathered.extend(self.row(pixels, index).iter().map(|&pixel| f32::from(pixel)));
                }
                Values::Features(features) => {
                    gathered.extend_from_slice(self.row(features, index));
                }
                // Those in memory are not.
                Values::Stored(_) => {}
            }
        }
        Ok(gathered)
    }

    /// The example at `index` of `values`, those of all examples.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub(crate) fn row<'a, T>(&self, values: &'a [T], index: usize) -> &'a [T] {
        row(values, self.width(), index)
    }

    /// SHA-256 of shape, values and labels, in hexadecimal: equal for equal content, wherever it
    /// lies.
    ///
    /// # Errors
    ///
    /// If they lie in a file that cannot be read.
    pub fn sha256(&self) -> Result<String, DatasetError> {
        let mut hash = Sha256::new();
        self.shape.iter().for_each(|&size| hash.update((size as u64).to_le_bytes()));
        self.each_block(|block| match &block.values {
            Values::Pixels(pixels) => hash.update(pixels),
            Values::Features(features) => {
                features.iter().for_each(|feature| hash.update(feature.to_le_bytes()));
            }
            // Blocks are in memory.
            Values::Stored(_) => {}
        })?;
        self.labels.iter().for_each(|label| hash.update(label.to_le_bytes()));
        Ok(hexadecimal(&hash.finalize()))
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
