use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use support::ProgressTask;
use support::sha256::hexadecimal;

use crate::error::DatasetError;
use crate::row_source::{Concatenation, RowSource, StoredRows};

/// Labelled examples of one shape, in the order of their source. Their values are in host memory or
/// stay in a [`RowSource`].
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// Height, width and channels of an image; 1, 1 and the number of features otherwise.
    pub shape: [usize; 3],
    /// Values of all examples, shape `[count, height, width, channels]`, row-major.
    pub values: Values,
    /// Class index of each example, below the number of classes.
    pub labels: Vec<u32>,
    /// File of each example, in the order of the labels; empty if there are none.
    pub origins: Vec<Origin>,
    /// The same images in one standard shape, if their source has them. Near-duplicates are then the
    /// same whatever `shape` is.
    pub standard: Option<Box<Self>>,
}

/// Values of examples.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Pixels of images, 0 to 255.
    Pixels(Vec<u8>),
    /// Features, finite.
    Features(Vec<f32>),
    /// Pixels or features that stay in their source.
    Stored(StoredRows),
}

/// File that an example was read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Path relative to the data set, with `/` between its parts.
    pub file: Arc<str>,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Name of the group that must stay in one part, for example a person or a session.
    pub group: Option<Arc<str>>,
}

/// Number of examples read at once from a source.
const BLOCK: usize = 256;

/// Functions that read values fail if the source of stored ones cannot be read or has changed. All panic if
/// an index is out of range.
impl Examples {
    /// Images of `shape`, with `pixels` of shape `[count, height, width, channels]`.
    pub fn images(shape: [usize; 3], pixels: Vec<u8>, labels: Vec<u32>) -> Self {
        Self::new(shape, Values::Pixels(pixels), labels)
    }

    /// Examples of `width` features each, shape `[count, width]`.
    pub fn features(width: usize, features: Vec<f32>, labels: Vec<u32>) -> Self {
        Self::new([1, 1, width], Values::Features(features), labels)
    }

    /// Examples whose values stay in `source`, one row per label.
    pub fn stored(shape: [usize; 3], source: impl RowSource + 'static, labels: Vec<u32>) -> Self {
        Self::new(shape, Values::Stored(StoredRows::new(source)), labels)
    }

    /// Examples with `values` of shape `[count, height, width, channels]`.
    pub fn new(shape: [usize; 3], values: Values, labels: Vec<u32>) -> Self {
        Self { shape, values, labels, origins: Vec::new(), standard: None }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Name of the example at `index`: the path of its file, or the index.
    pub fn name(&self, index: usize) -> String {
        self.origins.get(index).map_or_else(|| index.to_string(), |origin| origin.file.to_string())
    }

    /// Returns whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Returns whether the examples are images, and not feature vectors.
    pub fn are_images(&self) -> bool {
        match &self.values {
            Values::Pixels(_) => true,
            Values::Features(_) => false,
            Values::Stored(rows) => rows.source.holds_pixels(),
        }
    }

    /// Returns whether examples should be read ahead of the step that needs them.
    pub fn are_slow(&self) -> bool {
        matches!(&self.values, Values::Stored(rows) if rows.source.is_slow())
    }

    /// Number of values of an example: height x width x channels.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// Selects the examples at `indices`, in that order. Stored values are not read.
    pub fn select(&self, indices: &[usize]) -> Self {
        let width = self.width();
        let values = match &self.values {
            Values::Pixels(pixels) => Values::Pixels(rows(pixels, width, indices)),
            Values::Features(features) => Values::Features(rows(features, width, indices)),
            Values::Stored(rows) => Values::Stored(rows.select(indices)),
        };
        let origins = indices.iter().filter_map(|&index| self.origins.get(index).cloned());
        let standard = self.standard.as_ref().map(|standard| Box::new(standard.select(indices)));
        let new = Self::new(self.shape, values, self.labels_at(indices));
        Self { origins: origins.collect(), standard, ..new }
    }

    /// These examples, then those of `other`, which have the same shape and kind. Stored values are
    /// not read.
    #[must_use]
    pub fn concat(&self, other: &Self) -> Self {
        let values = match (&self.values, &other.values) {
            (Values::Pixels(first), Values::Pixels(second)) => {
                Values::Pixels([first.as_slice(), second].concat())
            }
            (Values::Features(first), Values::Features(second)) => {
                Values::Features([first.as_slice(), second].concat())
            }
            _ => {
                let [first, second] = [self, other]
                    .map(|part| Self::new(part.shape, part.values.clone(), part.labels.clone()));
                Values::Stored(StoredRows::new(Concatenation { first, second }))
            }
        };
        let standard = self.standard.as_ref().zip(other.standard.as_ref());
        Self {
            shape: self.shape,
            values,
            labels: [self.labels.as_slice(), &other.labels].concat(),
            origins: [self.origins.as_slice(), &other.origins].concat(),
            standard: standard.map(|(first, second)| Box::new(first.concat(second))),
        }
    }

    /// Returns examples in memory and the positions in them of the examples at `indices`. Stored
    /// values are read.
    pub fn in_memory<'a>(
        &'a self,
        indices: &'a [usize],
    ) -> Result<(Cow<'a, Self>, Cow<'a, [usize]>), DatasetError> {
        let Values::Stored(rows) = &self.values else {
            return Ok((Cow::Borrowed(self), Cow::Borrowed(indices)));
        };
        let read = Self::new(self.shape, rows.read(indices)?, self.labels_at(indices));
        Ok((Cow::Owned(read), (0..indices.len()).collect()))
    }

    /// Calls `visit` with all examples in order, in memory: all at once, or block by block if they
    /// have to be read.
    pub fn each_block(&self, mut visit: impl FnMut(&Self)) -> Result<(), DatasetError> {
        if !matches!(self.values, Values::Stored(_)) {
            visit(self);
            return Ok(());
        }
        let all: Vec<usize> = (0..self.len()).collect();
        let task = ProgressTask::start("reading the examples", all.len());
        for indices in all.chunks(BLOCK) {
            visit(&self.in_memory(indices)?.0);
            task.advance(indices.len());
        }
        Ok(())
    }

    /// Returns whether shape, values and labels are equal to those of `other`, wherever the values
    /// are stored.
    pub fn has_same_content(&self, other: &Self) -> Result<bool, DatasetError> {
        let kind = |examples: &Self| (examples.shape, examples.are_images());
        if kind(self) != kind(other) || self.labels != other.labels {
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
        Ok(true)
    }

    /// Returns the labels of the examples at `indices`.
    pub fn labels_at(&self, indices: &[usize]) -> Vec<u32> {
        rows(&self.labels, 1, indices)
    }

    /// Returns the values of the examples at `indices` as numbers, shape `[indices.len(), width]`.
    pub fn gather(&self, indices: &[usize]) -> Result<Vec<f32>, DatasetError> {
        let (examples, indices) = self.in_memory(indices)?;
        Ok(match &examples.values {
            Values::Pixels(pixels) => {
                rows(pixels, self.width(), &indices).into_iter().map(f32::from).collect()
            }
            Values::Features(features) => rows(features, self.width(), &indices),
            // Examples in memory are not stored elsewhere.
            Values::Stored(_) => Vec::new(),
        })
    }

    /// Returns the part of `values`, which hold all examples, for the example at `index`.
    pub fn row<'a, T>(&self, values: &'a [T], index: usize) -> &'a [T] {
        row(values, self.width(), index)
    }

    /// SHA-256 of shape, values and labels in hexadecimal, equal for equal content wherever it is
    /// stored.
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

/// Returns the rows at `indices` of `values`, shape `[count, width]`.
fn rows<T: Copy>(values: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let mut rows = Vec::with_capacity(indices.len() * width);
    indices.iter().for_each(|&index| rows.extend_from_slice(row(values, width, index)));
    rows
}

#[expect(clippy::indexing_slicing, reason = "skipping a missing row would train on other data")]
fn row<T>(values: &[T], width: usize, index: usize) -> &[T] {
    &values[index * width..][..width]
}
