use std::fmt;

use super::heap;

/// The type of the elements of a data set, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Integer {
        size: usize,
        signed: bool,
        big_endian: bool,
    },
    /// IEEE 754 of 4 or 8 bytes, exactly.
    Float {
        size: usize,
        big_endian: bool,
    },
    /// A string of this many bytes.
    Fixed(usize),
    /// A string on the file's heap.
    Variable,
    /// Anything else, by its size: also integers that use some of their bits only.
    Other(usize),
}

impl Element {
    pub(super) const BYTE: Self = Self::Integer { size: 1, signed: false, big_endian: false };

    /// The number of bytes of one element in the file.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Integer { size, .. }
            | Self::Float { size, .. }
            | Self::Fixed(size)
            | Self::Other(size) => size,
            Self::Variable => heap::REFERENCE,
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { size, signed: true, .. } => write!(f, "int{}", size * 8),
            Self::Integer { size, signed: false, .. } => write!(f, "uint{}", size * 8),
            Self::Float { size, .. } => write!(f, "float{}", size * 8),
            Self::Fixed(size) => write!(f, "strings of {size} bytes"),
            Self::Variable => f.write_str("strings"),
            Self::Other(size) => {
                write!(f, "neither plain integers, strings nor plain floats ({size} bytes each)")
            }
        }
    }
}
