use crate::error::SourceError;
use crate::examples::{Examples, Values};
use crate::row_source::{RowSource, Rows};

/// The rows of some examples, then those of others.
#[derive(Debug)]
pub struct Concatenation {
    first: Examples,
    second: Examples,
}

impl Concatenation {
    pub fn new(first: Examples, second: Examples) -> Self {
        Self { first, second }
    }
}

impl RowSource for Concatenation {
    fn count(&self) -> usize {
        self.first.len() + self.second.len()
    }

    fn holds_pixels(&self) -> bool {
        self.first.are_images()
    }

    fn read(&self, rows: &[usize]) -> Result<Rows, SourceError> {
        if rows.iter().any(|&row| row >= self.count()) {
            return Err("an example is missing from its source".into());
        }
        let count = self.first.len();
        let (first, second): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| row < count);
        let second: Vec<_> = second.iter().map(|row| row - count).collect();
        let (first, first_positions) = self.first.in_memory(&first)?;
        let (second, second_positions) = self.second.in_memory(&second)?;
        let (mut pixels, mut features) = (Vec::new(), Vec::new());
        let (mut first_positions, mut second_positions) =
            (first_positions.iter(), second_positions.iter());
        for &row in rows {
            let (examples, position) = if row < count {
                (&first, first_positions.next())
            } else {
                (&second, second_positions.next())
            };
            let position = position.copied().unwrap_or_default();
            match &examples.values {
                Values::Pixels(values) => pixels.extend_from_slice(examples.row(values, position)),
                Values::Features(values) => {
                    features.extend_from_slice(examples.row(values, position));
                }
                // Examples in memory are not stored elsewhere.
                Values::Stored(_) => {}
            }
        }
        Ok(if self.holds_pixels() { Rows::Pixels(pixels) } else { Rows::Features(features) })
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
        let concatenation = Concatenation::new(first.clone(), second.clone());
        assert!(concatenation.read(&[0, 4]).is_err());
        let stored = Examples::stored([1, 1, 2], concatenation, vec![0, 1, 1, 0]);
        assert_eq!(stored.gather(&[3, 0, 2, 3]).unwrap(), [6.0, 7.0, 0.0, 1.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(stored.has_same_content(&first.concat(&second)).unwrap());
        let mixed = stored.select(&[0, 1]).concat(&second);
        assert!(mixed.has_same_content(&stored).unwrap());
    }
}
