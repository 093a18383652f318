use std::ops::Range;

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

    /// The channels of each of some pixels in a row; `zeros`, one for each channel, where the
    /// image has none.
    // All slices are as long as `zeros`, which the compiler has to see: it then checks no access.
    #[inline(always)]
    pub fn pixels<'a, T, const N: usize>(
        self,
        numbers: &'a [T],
        image: usize,
        [row, column]: [isize; 2],
        zeros: &'a [T],
    ) -> [&'a [T]; N] {
        let (row, column) = (row.cast_unsigned(), column.cast_unsigned());
        let mut pixels = [zeros; N];
        if row >= self.height {
            return pixels;
        }
        let start = self.start(image, row, 0);
        for (x, pixel) in pixels.iter_mut().enumerate() {
            let column = column.wrapping_add(x);
            if column < self.width {
                let start = start + column * zeros.len();
                *pixel = numbers.get(start..start + zeros.len()).unwrap_or(zeros);
            }
        }
        pixels
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
