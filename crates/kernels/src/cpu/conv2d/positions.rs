use std::ops::Range;

use super::super::simd_float::SimdFloat;

/// Height, width and channels of images `[batch, height, width, channels]`.
#[derive(Debug, Clone, Copy)]
pub struct ImageShape {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl ImageShape {
    /// Number of values of an image.
    pub fn image_len(self) -> usize {
        self.height * self.row_len()
    }

    /// Number of values of a row.
    pub fn row_len(self) -> usize {
        self.width * self.channels
    }

    /// Returns the position of the first value of a pixel.
    #[inline(always)]
    pub fn offset(self, image: usize, row: usize, column: usize) -> usize {
        ((image * self.height + row) * self.width + column) * self.channels
    }

    /// Returns pixels of a row: a slice of `values` if all are inside the image, otherwise a copy
    /// in `padded` with zeros outside. The length of `padded` is the number of values.
    #[inline(always)]
    pub fn row_segment<'a, T: SimdFloat>(
        self,
        values: &'a [T],
        image: usize,
        [row, column]: [isize; 2],
        padded: &'a mut [T],
    ) -> &'a [T] {
        let (channels, width) = (self.channels.cast_signed(), self.width.cast_signed());
        let end = column + padded.len().cast_signed() / channels;
        let (from, to) = (column.clamp(0, width), end.clamp(0, width));
        let start = self.offset(image, row.cast_unsigned(), from.cast_unsigned());
        let is_outside = row.cast_unsigned() >= self.height;
        let count = if is_outside { 0 } else { ((to - from) * channels).cast_unsigned() };
        let inside = values.get(start..start + count).unwrap_or_default();
        if inside.len() == padded.len() {
            return inside;
        }
        padded.fill(T::zero());
        let targets = padded.iter_mut().skip(((from - column) * channels).cast_unsigned());
        targets.zip(inside).for_each(|(target, value)| *target = *value);
        padded
    }
}

/// Unit of the output that is computed together: a pixel or a tile.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    pub image: usize,
    pub row: usize,
    pub column: usize,
}

/// Iterator over positions by columns, then rows, then images.
#[derive(Debug, Clone)]
pub struct Positions {
    next: Position,
    rows: Range<usize>,
    columns: usize,
    remaining: usize,
}

impl Positions {
    /// Creates the positions of some rows of some images.
    pub fn new(images: Range<usize>, rows: Range<usize>, columns: usize) -> Self {
        let next = Position { image: images.start, row: rows.start, column: 0 };
        let remaining = images.len() * rows.len() * columns;
        Self { next, rows, columns, remaining }
    }

    /// Creates the positions of some rows, counted over all images of `height` rows.
    pub fn from_rows(rows: Range<usize>, height: usize, columns: usize) -> Self {
        let next = Position { image: rows.start / height, row: rows.start % height, column: 0 };
        Self { next, rows: 0..height, columns, remaining: rows.len() * columns }
    }

    /// Splits off the first positions, at most `count`.
    #[inline(always)]
    pub fn split_front(&mut self, count: usize) -> Option<Self> {
        let remaining = count.min(self.remaining);
        let first = Self { remaining, ..self.clone() };
        let columns = self.next.column + remaining;
        let rows = self.next.row - self.rows.start + columns / self.columns.max(1);
        self.next.column = columns % self.columns.max(1);
        self.next.row = self.rows.start + rows % self.rows.len().max(1);
        self.next.image += rows / self.rows.len().max(1);
        self.remaining -= remaining;
        (remaining > 0).then_some(first)
    }

    /// Splits off rows of one image, at most `most`. Returns the first position and the number of
    /// rows.
    pub fn split_strip(&mut self, most: usize) -> Option<(Position, usize)> {
        let rows = most.min(self.rows.end - self.next.row);
        let strip = self.split_front(rows * self.columns)?;
        Some((strip.next, strip.remaining / self.columns))
    }
}

impl Iterator for Positions {
    type Item = Position;

    #[inline(always)]
    fn next(&mut self) -> Option<Position> {
        self.remaining = self.remaining.checked_sub(1)?;
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
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Positions {}
