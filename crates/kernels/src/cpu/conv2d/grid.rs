use std::ops::Range;

use super::super::real::Real;

/// The shape of images `[batch, height, width, channels]` but for the batch.
#[derive(Debug, Clone, Copy)]
pub struct Images {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl Images {
    /// How many numbers an image has.
    pub fn size(self) -> usize {
        self.height * self.row()
    }

    /// How many numbers a row has.
    pub fn row(self) -> usize {
        self.width * self.channels
    }

    /// Where a pixel begins.
    #[inline(always)]
    pub fn start(self, image: usize, row: usize, column: usize) -> usize {
        ((image * self.height + row) * self.width + column) * self.channels
    }

    /// As many pixels of a row as `padded` has room for; there, with zeros for what is outside of
    /// the image, unless all are inside.
    #[inline(always)]
    pub fn pixels<'a, T: Real>(
        self,
        numbers: &'a [T],
        image: usize,
        [row, column]: [isize; 2],
        padded: &'a mut [T],
    ) -> &'a [T] {
        let (channels, width) = (self.channels.cast_signed(), self.width.cast_signed());
        let end = column + padded.len().cast_signed() / channels;
        let (from, to) = (column.clamp(0, width), end.clamp(0, width));
        let start = self.start(image, row.cast_unsigned(), from.cast_unsigned());
        let is_outside = row.cast_unsigned() >= self.height;
        let count = if is_outside { 0 } else { ((to - from) * channels).cast_unsigned() };
        let inside = numbers.get(start..start + count).unwrap_or_default();
        if inside.len() == padded.len() {
            return inside;
        }
        padded.fill(T::zero());
        let places = padded.iter_mut().skip(((from - column) * channels).cast_unsigned());
        places.zip(inside).for_each(|(place, number)| *place = *number);
        padded
    }
}

/// A place of the output that is computed as a whole: a pixel or a tile of them.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    pub image: usize,
    pub row: usize,
    pub column: usize,
}

/// Positions one after the other: columns, then rows, then images.
#[derive(Debug, Clone)]
pub struct Positions {
    next: Position,
    rows: Range<usize>,
    columns: usize,
    left: usize,
}

impl Positions {
    /// Those of some rows of some images.
    pub fn of(images: Range<usize>, rows: Range<usize>, columns: usize) -> Self {
        let next = Position { image: images.start, row: rows.start, column: 0 };
        let left = images.len() * rows.len() * columns;
        Self { next, rows, columns, left }
    }

    /// Those of some rows, counted over all images of `height` rows.
    pub fn of_rows(rows: Range<usize>, height: usize, columns: usize) -> Self {
        let next = Position { image: rows.start / height, row: rows.start % height, column: 0 };
        Self { next, rows: 0..height, columns, left: rows.len() * columns }
    }

    /// Takes the first ones, at most `count`.
    #[inline(always)]
    pub fn split_off(&mut self, count: usize) -> Option<Self> {
        let left = count.min(self.left);
        let first = Self { left, ..self.clone() };
        let columns = self.next.column + left;
        let rows = self.next.row - self.rows.start + columns / self.columns.max(1);
        self.next.column = columns % self.columns.max(1);
        self.next.row = self.rows.start + rows % self.rows.len().max(1);
        self.next.image += rows / self.rows.len().max(1);
        self.left -= left;
        (left > 0).then_some(first)
    }

    /// Takes the first rows of one image, at most `most`: the first position, and how many.
    pub fn strip(&mut self, most: usize) -> Option<(Position, usize)> {
        let rows = most.min(self.rows.end - self.next.row);
        let strip = self.split_off(rows * self.columns)?;
        Some((strip.next, strip.left / self.columns))
    }
}

impl Iterator for Positions {
    type Item = Position;

    #[inline(always)]
    fn next(&mut self) -> Option<Position> {
        self.left = self.left.checked_sub(1)?;
        let position = self.next;
        self.next.column += 1;
        if self.next.column == self.columns {
            self.next.column = 0;
            self.next.row += 1;
        }
        if self.next.row == self.rows.end {
            self.next.row = self.rows.start;
            self.next.image += 1;
        }
        Some(position)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Positions {}
