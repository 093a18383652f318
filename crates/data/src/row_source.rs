use std::fmt::Debug;
use std::ptr;
use std::sync::Arc;

use crate::error::SourceError;
use crate::moments::ChannelMoments;

/// Values of examples that stay outside memory, for example in a file, and are read row by row.
///
/// A row is one example, `height * width * channels` values. Rows must not change while the source
/// is in use: reading a row twice gives the same values, or fails.
///
/// ```
/// use trainer_data::{Examples, RowSource, Rows, SourceError};
///
/// /// Images of a single grey level.
/// #[derive(Debug)]
/// struct Grey;
///
/// impl RowSource for Grey {
///     fn count(&self) -> usize {
///         256
///     }
///
///     fn holds_pixels(&self) -> bool {
///         true
///     }
///
///     fn read(&self, rows: &[usize]) -> Result<Rows, SourceError> {
///         Ok(Rows::Pixels(rows.iter().flat_map(|&row| [row as u8; 4]).collect()))
///     }
/// }
///
/// let examples = Examples::stored([2, 2, 1], Grey, vec![0; 256]);
/// assert_eq!(examples.gather(&[7])?, [7.0; 4]);
/// # Ok::<(), trainer_data::DatasetError>(())
/// ```
pub trait RowSource: Debug + Send + Sync {
    /// Number of rows, at most `u32::MAX`.
    fn count(&self) -> usize;

    /// Returns whether the values are pixels, and not features.
    fn holds_pixels(&self) -> bool;

    /// Reads the rows at the indices `rows`, in that order; an index may repeat.
    ///
    /// # Errors
    ///
    /// If there is no such row, or it cannot be read or has changed.
    fn read(&self, rows: &[usize]) -> Result<Rows, SourceError>;

    /// Returns whether reading a row takes as long as a step of training, so that batches should be
    /// read ahead.
    fn is_slow(&self) -> bool {
        false
    }

    /// Moments of the image in a row, one per channel, if the source knows them already. Statistics
    /// are then computed without reading the rows once more.
    fn moments(&self, _row: usize) -> Option<&[ChannelMoments]> {
        None
    }
}

/// Values in memory, shape `[count, height, width, channels]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// Pixels of images, 0 to 255.
    Pixels(Vec<u8>),
    /// Features, finite.
    Features(Vec<f32>),
}

/// A selection of the rows of a [`RowSource`].
#[derive(Debug, Clone)]
pub struct StoredRows {
    source: Arc<dyn RowSource>,
    /// Indices into the source; `None` for all of its rows in order.
    selected: Option<Arc<[u32]>>,
}

impl StoredRows {
    /// All rows of `source`, in order.
    pub fn new(source: impl RowSource + 'static) -> Self {
        Self { source: Arc::new(source), selected: None }
    }

    /// Returns whether the values are pixels, and not features.
    pub fn holds_pixels(&self) -> bool {
        self.source.holds_pixels()
    }

    /// Returns whether rows should be read ahead of the step that needs them.
    pub fn is_slow(&self) -> bool {
        self.source.is_slow()
    }

    /// The selected rows at `indices`, without reading them. Indices without a row are left out.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let selected = indices.iter().filter_map(|&index| self.row(index)).collect();
        Self { selected: Some(selected), ..self.clone() }
    }

    /// Reads the selected rows at `indices`.
    pub(crate) fn read(&self, indices: &[usize]) -> Result<Rows, SourceError> {
        let rows = indices.iter().map(|&index| self.row(index).map(|row| row as usize));
        match rows.collect::<Option<Vec<_>>>() {
            Some(rows) => self.source.read(&rows),
            None => Err("an example is missing from its source".into()),
        }
    }

    /// Sum of the moments of all selected rows of `channels` channels; `None` if the source does not
    /// know them.
    pub(crate) fn moments(&self, channels: usize) -> Option<Vec<ChannelMoments>> {
        let mut total = vec![ChannelMoments::default(); channels];
        for index in 0..self.count() {
            let row = self.source.moments(self.row(index)? as usize)?;
            total.iter_mut().zip(row).for_each(|(total, one)| total.add(*one));
        }
        Some(total)
    }

    fn count(&self) -> usize {
        self.selected.as_ref().map_or(self.source.count(), |selected| selected.len())
    }

    /// Index into the source of the selected row at `index`.
    fn row(&self, index: usize) -> Option<u32> {
        match &self.selected {
            Some(selected) => selected.get(index).copied(),
            None => u32::try_from(index).ok().filter(|_| index < self.source.count()),
        }
    }
}

/// Equal selections of the same source.
impl PartialEq for StoredRows {
    fn eq(&self, other: &Self) -> bool {
        ptr::addr_eq(Arc::as_ptr(&self.source), Arc::as_ptr(&other.source))
            && self.selected == other.selected
    }
}
