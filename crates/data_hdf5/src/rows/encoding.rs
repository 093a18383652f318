use data::Rows;
use serde::{Deserialize, Serialize};

use crate::buffer::reserve;
use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::features;

/// Encoding of a value in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// A pixel, 0 to 255.
    Pixel,
    /// An IEEE 754 number.
    Float {
        /// Number of bytes, 4 or 8.
        size: usize,
        big_endian: bool,
    },
}

impl Encoding {
    /// Number of bytes of a value.
    pub fn size(self) -> usize {
        match self {
            Self::Pixel => 1,
            Self::Float { size, .. } => size,
        }
    }

    /// Decodes `bytes`, rows of `width` values. `rows` are their indices in the file, for errors.
    pub fn decode(
        self,
        context: &ErrorContext,
        bytes: Vec<u8>,
        width: usize,
        rows: impl Iterator<Item = usize>,
    ) -> Result<Rows, Hdf5Error> {
        let Self::Float { size, big_endian } = self else { return Ok(Rows::Pixels(bytes)) };
        let mut numbers = reserve(context, bytes.len() / size.max(1))?;
        for (row, bytes) in rows.zip(bytes.chunks_exact((width * size).max(1))) {
            features::append(context, row, bytes, (size, big_endian), &mut numbers)?;
        }
        Ok(Rows::Features(numbers))
    }
}
