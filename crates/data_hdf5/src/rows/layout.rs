use super::encoding::Encoding;

/// Location and encoding of the values of all examples in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsLocation {
    pub encoding: Encoding,
    pub layout: Layout,
}

/// Arrangement of rows in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Rows that are not contiguous, for example compressed ones: the bytes of all of them.
    Packed(Vec<u8>),
    /// All rows contiguous at this offset of the file.
    Contiguous(u64),
    /// `rows` contiguous rows at each of these offsets; the last chunk is padded.
    Chunked { rows: usize, offsets: Vec<u64> },
}

/// Contiguous rows in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset of the first row in the file.
    pub offset: u64,
    /// Index of the first row.
    pub row: usize,
    /// Number of rows.
    pub rows: usize,
}

impl Layout {
    /// Segments of `count` rows of `bytes` bytes each, in the order of the rows; `None` if they
    /// exceed a file of `length` bytes. Packed rows have none.
    pub fn segments(&self, count: usize, bytes: usize, length: u64) -> Option<Vec<Segment>> {
        let segments = match self {
            Self::Packed(_) => Vec::new(),
            &Self::Contiguous(offset) => vec![Segment { offset, row: 0, rows: count }],
            Self::Chunked { rows, offsets } => {
                let chunks = offsets.iter().zip((0..count).step_by((*rows).max(1)));
                let segments = chunks.map(|(&offset, row)| Segment {
                    offset,
                    row,
                    rows: *rows.min(&(count - row)),
                });
                segments.collect()
            }
        };
        let mut ends = segments.iter().map(|segment| segment.end(bytes));
        ends.all(|end| end.is_some_and(|end| end <= length)).then_some(segments)
    }
}

impl Segment {
    /// Offset of its end in the file, with rows of `bytes` bytes.
    fn end(&self, bytes: usize) -> Option<u64> {
        self.offset.checked_add((self.rows as u64).checked_mul(bytes as u64)?)
    }

    /// Splits it into blocks of at most `most` rows, and at least one.
    pub fn blocks(self, most: usize, bytes: usize) -> impl Iterator<Item = Self> {
        let most = most.max(1);
        (0..self.rows).step_by(most).map(move |start| Self {
            offset: self.offset + (start * bytes) as u64,
            row: self.row + start,
            rows: most.min(self.rows - start),
        })
    }
}
