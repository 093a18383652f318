//! Where values lie in their file.

use super::form::Form;

/// Where the values of all examples lie, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub form: Form,
    pub layout: Layout,
}

/// How the values lie in their file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Not in one piece a row, as they do where they are compressed: all of their bytes.
    Packed(Vec<u8>),
    /// In one piece at this offset of the file.
    Contiguous(u64),
    /// So many rows in one piece at each of these offsets, the last of them filled up.
    Chunked { rows: usize, offsets: Vec<u64> },
}

/// Rows in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Where the first of them lies in the file.
    pub offset: u64,
    /// Which row it is.
    pub row: usize,
    /// How many there are.
    pub rows: usize,
}

impl Layout {
    /// The pieces of `count` rows of so many bytes, in the order of the rows; `None` if they do
    /// not lie in a file of `length` bytes. What is packed has none.
    pub fn segments(&self, count: usize, bytes: usize, length: u64) -> Option<Vec<Segment>> {
        let segments = match self {
            Self::Packed(_) => Vec::new(),
            &Self::Contiguous(offset) => vec![Segment { offset, row: 0, rows: count }],
            Self::Chunked { rows, offsets } => {
                let pieces = offsets.iter().zip((0..count).step_by((*rows).max(1)));
                let piece =
                    |(&offset, row)| Segment { offset, row, rows: *rows.min(&(count - row)) };
                pieces.map(piece).collect()
            }
        };
        let lies = |segment: &Segment| segment.end(bytes).is_some_and(|end| end <= length);
        segments.iter().all(lies).then_some(segments)
    }
}

impl Segment {
    /// Where it ends in the file, with rows of so many bytes.
    fn end(&self, bytes: usize) -> Option<u64> {
        self.offset.checked_add((self.rows as u64).checked_mul(bytes as u64)?)
    }

    /// Pieces of it of at most so many rows, but at least one.
    pub fn pieces(self, most: usize, bytes: usize) -> impl Iterator<Item = Self> {
        let most = most.max(1);
        (0..self.rows).step_by(most).map(move |start| Self {
            offset: self.offset + (start * bytes) as u64,
            row: self.row + start,
            rows: most.min(self.rows - start),
        })
    }
}
