use std::fmt;

use serde::{Deserialize, Serialize};

/// Type of a number in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// Integer of 1, 2, 4 or 8 bytes.
    Integer { size: usize, signed: bool, big_endian: bool },
    /// IEEE 754 number of 2, 4 or 8 bytes.
    Float { size: usize, big_endian: bool },
}

impl Number {
    pub const BYTE: Self = Self::Integer { size: 1, signed: false, big_endian: false };

    pub fn is_float(self) -> bool {
        matches!(self, Self::Float { .. })
    }

    /// Number of bytes.
    pub fn size(self) -> usize {
        match self {
            Self::Integer { size, .. } | Self::Float { size, .. } => size,
        }
    }

    /// Calls `visit` with each number in `bytes`. Integers above 2^53 are rounded.
    pub fn for_each(self, bytes: &[u8], visit: impl FnMut(f64)) {
        match self {
            Self::Integer { size: 1, signed: false, .. } => {
                each(bytes, false, |[byte]| f64::from(byte), visit)
            }
            Self::Integer { size: 1, signed: true, .. } => {
                each(bytes, false, |[byte]| f64::from(byte as i8), visit)
            }
            Self::Integer { size: 2, signed: false, big_endian } => {
                each(bytes, big_endian, |number| f64::from(u16::from_le_bytes(number)), visit);
            }
            Self::Integer { size: 2, signed: true, big_endian } => {
                each(bytes, big_endian, |number| f64::from(i16::from_le_bytes(number)), visit);
            }
            Self::Integer { size: 4, signed: false, big_endian } => {
                each(bytes, big_endian, |number| f64::from(u32::from_le_bytes(number)), visit);
            }
            Self::Integer { size: 4, signed: true, big_endian } => {
                each(bytes, big_endian, |number| f64::from(i32::from_le_bytes(number)), visit);
            }
            Self::Integer { signed: false, big_endian, .. } => {
                each(bytes, big_endian, |number| u64::from_le_bytes(number) as f64, visit);
            }
            Self::Integer { signed: true, big_endian, .. } => {
                each(bytes, big_endian, |number| i64::from_le_bytes(number) as f64, visit);
            }
            Self::Float { size: 2, big_endian } => {
                each(bytes, big_endian, |number| half(u16::from_le_bytes(number)), visit);
            }
            Self::Float { size: 4, big_endian } => {
                each(bytes, big_endian, |number| f64::from(f32::from_le_bytes(number)), visit);
            }
            Self::Float { big_endian, .. } => each(bytes, big_endian, f64::from_le_bytes, visit),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { size, signed: true, .. } => write!(f, "int{}", size * 8),
            Self::Integer { size, signed: false, .. } => write!(f, "uint{}", size * 8),
            Self::Float { size, .. } => write!(f, "float{}", size * 8),
        }
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

/// Decodes an IEEE 754 number of 2 bytes: sign, 5 bits of exponent, 10 of mantissa.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        0x1f if mantissa == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1024.0 + mantissa) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// Decodes an integer of up to 15 bytes.
pub fn integer(bytes: &[u8], signed: bool, big_endian: bool) -> i128 {
    let push = |number: i128, &byte: &u8| number << 8 | i128::from(byte);
    let number =
        if big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) };
    let range = 1_i128 << (8 * bytes.len());
    if signed && number >= range / 2 { number - range } else { number }
}
