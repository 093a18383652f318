use std::fmt;

/// Size of a reference to a string: length (4), address of the collection (8), index in it (4).
pub const REFERENCE: usize = 16;

/// Type of the elements of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Integer {
        size: usize,
        signed: bool,
        big_endian: bool,
    },
    /// IEEE 754 number of 4 or 8 bytes.
    Float {
        size: usize,
        big_endian: bool,
    },
    /// String with this number of bytes.
    Fixed(usize),
    /// Variable-length string on the heap of the file.
    Variable,
    /// Any other type, by its size; also integers that use only some of their bits.
    Other(usize),
}

impl Element {
    pub const BYTE: Self = Self::Integer { size: 1, signed: false, big_endian: false };

    /// Number of bytes of an element in the file.
    pub fn size(self) -> usize {
        match self {
            Self::Integer { size, .. }
            | Self::Float { size, .. }
            | Self::Fixed(size)
            | Self::Other(size) => size,
            Self::Variable => REFERENCE,
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
