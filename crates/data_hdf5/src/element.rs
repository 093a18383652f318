//! Types of elements, and their values decoded from bytes.

use std::fmt;

use half::f16;
use serde::{Deserialize, Serialize};

/// Size of a reference to a string: length (4), address of the collection (8), index in it (4).
const REFERENCE: usize = 16;

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

/// Type of a number in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    pub kind: NumberKind,
    /// Number of bytes: 1, 2, 4 or 8, at least 2 for a float.
    pub size: usize,
    pub big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NumberKind {
    Unsigned,
    Signed,
    /// IEEE 754.
    Float,
}

impl Element {
    /// Number of bytes of an element in the file.
    pub fn size(self) -> usize {
        match self {
            Self::Number(number) => number.size,
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

impl Number {
    pub const BYTE: Self = Self { kind: NumberKind::Unsigned, size: 1, big_endian: false };

    pub fn is_float(self) -> bool {
        self.kind == NumberKind::Float
    }

    /// Calls `visit` with each number in `bytes`. Integers above 2^53 are rounded.
    pub fn for_each(self, bytes: &[u8], visit: impl FnMut(f64)) {
        use NumberKind::{Float, Signed, Unsigned};
        let swap = self.big_endian;
        match (self.kind, self.size) {
            (Unsigned, 1) => each(bytes, swap, |n| u8::from_le_bytes(n).into(), visit),
            (Unsigned, 2) => each(bytes, swap, |n| u16::from_le_bytes(n).into(), visit),
            (Unsigned, 4) => each(bytes, swap, |n| u32::from_le_bytes(n).into(), visit),
            (Unsigned, _) => each(bytes, swap, |n| u64::from_le_bytes(n) as f64, visit),
            (Signed, 1) => each(bytes, swap, |n| i8::from_le_bytes(n).into(), visit),
            (Signed, 2) => each(bytes, swap, |n| i16::from_le_bytes(n).into(), visit),
            (Signed, 4) => each(bytes, swap, |n| i32::from_le_bytes(n).into(), visit),
            (Signed, _) => each(bytes, swap, |n| i64::from_le_bytes(n) as f64, visit),
            (Float, 2) => each(bytes, swap, |n| f16::from_le_bytes(n).into(), visit),
            (Float, 4) => each(bytes, swap, |n| f32::from_le_bytes(n).into(), visit),
            (Float, _) => each(bytes, swap, f64::from_le_bytes, visit),
        }
    }

    /// Decodes one integer.
    pub fn integer(self, bytes: &[u8]) -> i128 {
        let push = |number: i128, &byte: &u8| number << 8 | i128::from(byte);
        let number = match self.big_endian {
            true => bytes.iter().fold(0, push),
            false => bytes.iter().rev().fold(0, push),
        };
        let range = 1_i128 << (8 * bytes.len());
        let is_negative = self.kind == NumberKind::Signed && number >= range / 2;
        if is_negative { number - range } else { number }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            NumberKind::Unsigned => "uint",
            NumberKind::Signed => "int",
            NumberKind::Float => "float",
        };
        write!(f, "{kind}{}", 8 * self.size)
    }
}

fn each<const SIZE: usize>(
    bytes: &[u8],
    big_endian: bool,
    number: impl Fn([u8; SIZE]) -> f64,
    mut visit: impl FnMut(f64),
) {
    for &(mut bytes) in bytes.as_chunks().0 {
        if big_endian {
            bytes.reverse();
        }
        visit(number(bytes));
    }
}
