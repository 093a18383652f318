//! The form of values in a file.

use serde::{Deserialize, Serialize};

use crate::examples::Values;
use crate::hdf5::error::Site;
use crate::hdf5::raw::reserve;
use crate::hdf5::{Hdf5Error, features};

/// The form of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A pixel from 0 to 255.
    Pixel,
    /// IEEE 754.
    Float {
        /// 4 or 8.
        size: usize,
        big_endian: bool,
    },
}

impl Form {
    /// The bytes of a value.
    pub fn size(self) -> usize {
        match self {
            Self::Pixel => 1,
            Self::Float { size, .. } => size,
        }
    }

    /// The values of `bytes`, rows of `width` values that the file has at `rows`.
    pub fn values(
        self,
        site: &Site,
        bytes: Vec<u8>,
        width: usize,
        rows: impl Iterator<Item = usize>,
    ) -> Result<Values, Hdf5Error> {
        let Self::Float { size, big_endian } = self else { return Ok(Values::Pixels(bytes)) };
        let mut numbers = reserve(site, bytes.len() / size.max(1))?;
        for (row, bytes) in rows.zip(bytes.chunks_exact((width * size).max(1))) {
            features::append(site, row, bytes, (size, big_endian), &mut numbers)?;
        }
        Ok(Values::Features(numbers))
    }
}
