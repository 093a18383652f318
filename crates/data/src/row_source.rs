use std::fmt::Debug;
use std::ptr;
use std::sync::Arc;

use crate::error::SourceError;
use crate::examples::{Examples, Values};
use crate::statistics::ChannelMoments;

/// Values of examples that stay outside memory, for example in a file, and are read row by row.
///
/// A row is one example, `height * width * channels` values. Rows must not change while the source
/// is in use: reading a row twice gives the same values, or fails.
///
/// ```
/// use trainer_data::{Examples, RowSource, SourceError, Values};
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
///     fn read(&self, rows: &[usize]) -> Result<Values, SourceError> {
///         Ok(Values::Pixels(rows.iter().flat_map(|&row| [row as u8; 4]).collect()))
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

    /// Reads the rows at the indices `rows` into memory, in that order; an index may repeat. Fails if there
    /// is no such row, or it cannot be read or has changed.
    fn read(&self, rows: &[usize]) -> Result<Values, SourceError>;

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

const MISSING: &str = "an example is missing from its source";

/// A selection of the rows of a [`RowSource`].
#[derive(Debug, Clone)]
pub struct StoredRows {
    pub(crate) source: Arc<dyn RowSource>,
    /// Indices into the source; `None` for all of its rows in order.
    selected: Option<Arc<[u32]>>,
}

impl StoredRows {
    /// All rows of `source`, in order.
    pub fn new(source: impl RowSource + 'static) -> Self {
        Self { source: Arc::new(source), selected: None }
    }

    /// The selected rows at `indices`, without reading them. Indices without a row are left out.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let selected = indices.iter().filter_map(|&index| self.row(index)).collect();
        Self { selected: Some(selected), ..self.clone() }
    }

    /// Reads the selected rows at `indices`.
    pub(crate) fn read(&self, indices: &[usize]) -> Result<Values, SourceError> {
        let rows = indices.iter().map(|&index| self.row(index).map(|row| row as usize));
        self.source.read(&rows.collect::<Option<Vec<_>>>().ok_or(MISSING)?)
    }

    /// Sum of the moments of all selected rows of `channels` channels; `None` if the source does not
    /// know them.
    pub(crate) fn moments(&self, channels: usize) -> Option<Vec<ChannelMoments>> {
        let mut total = vec![ChannelMoments::default(); channels];
        let count = self.selected.as_ref().map_or(self.source.count(), |selected| selected.len());
        for index in 0..count {
            let row = self.source.moments(self.row(index)? as usize)?;
            total.iter_mut().zip(row).for_each(|(total, one)| total.add(*one));
        }
        Some(total)
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

/// The rows of some examples, then those of others.
#[derive(Debug)]
pub struct Concatenation {
    pub first: Examples,
    pub second: Examples,
}

impl RowSource for Concatenation {
    fn count(&self) -> usize {
        self.first.len() + self.second.len()
    }

    fn holds_pixels(&self) -> bool {
        self.first.are_images()
    }

    fn read(&self, rows: &[usize]) -> Result<Values, SourceError> {
        if rows.iter().any(|&row| row >= self.count()) {
            return Err(MISSING.into());
        }
        let count = self.first.len();
        let (first, second): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| row < count);
        let second: Vec<_> = second.iter().map(|row| row - count).collect();
        let read = |examples: &Examples, rows: &[usize]| {
            let (examples, positions) = examples.in_memory(rows)?;
            Ok::<_, SourceError>(examples.select(&positions))
        };
        let all = read(&self.first, &first)?.concat(&read(&self.second, &second)?);
        let (mut of_first, mut of_second) = (0.., first.len()..);
        let position = |&row: &usize| if row < count { of_first.next() } else { of_second.next() };
        Ok(all.select(&rows.iter().filter_map(position).collect::<Vec<_>>()).values)
    }

    fn is_slow(&self) -> bool {
        self.first.are_slow() || self.second.are_slow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_rows_follow_those_in_memory_in_any_order() {
        let first = Examples::features(2, vec![0.0, 1.0, 2.0, 3.0], vec![0, 1]);
        let second = Examples::features(2, vec![4.0, 5.0, 6.0, 7.0], vec![1, 0]);
        let concatenation = Concatenation { first: first.clone(), second: second.clone() };
        assert!(concatenation.read(&[0, 4]).is_err());
        let stored = Examples::stored([1, 1, 2], concatenation, vec![0, 1, 1, 0]);
        assert_eq!(stored.gather(&[3, 0, 2, 3]).unwrap(), [6.0, 7.0, 0.0, 1.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(stored.has_same_content(&first.concat(&second)).unwrap());
        let mixed = stored.select(&[0, 1]).concat(&second);
        assert!(mixed.has_same_content(&stored).unwrap());
    }
}
