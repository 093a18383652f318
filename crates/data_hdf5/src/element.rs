use std::fmt;

use crate::number::Number;

/// Size of a reference to a string: length (4), address of the collection (8), index in it (4).
pub const REFERENCE: usize = 16;

/// Type of the elements of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A number, or an enumeration stored as one, such as the booleans of h5py.
    Number(Number),
    /// String with this number of bytes.
    Fixed(usize),
    /// Variable-length string on the heap of the file.
    Variable,
    /// Any other type, by its size; also integers that use only some of their bits.
    Other(usize),
}

impl Element {
    /// Number of bytes of an element in the file.
    pub fn size(self) -> usize {
        match self {
            Self::Number(number) => number.size(),
            Self::Fixed(size) | Self::Other(size) => size,
            Self::Variable => REFERENCE,
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Fixed(size) => write!(f, "strings of {size} bytes"),
            Self::Variable => f.write_str("strings"),
            Self::Other(size) => {
                write!(f, "neither plain integers, strings nor plain floats ({size} bytes each)")
            }
        }
    }
}
