//! Synthetic image sets, rendered from a seed, for runs without the original photographs.
//!
//! Image `i` of a set and its label depend on the seed and `i` alone, so that any range of a set can
//! be generated on its own.

pub mod cats;
pub mod hands;
mod rendering;
mod vector;

pub use rendering::SHAPE;

/// Labelled images of [`SHAPE`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// Shape `[count, height, width, channels]`, row-major, 0 to 255.
    pub pixels: Vec<u8>,
    /// One class index per image.
    pub labels: Vec<u32>,
}
