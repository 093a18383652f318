//! Near-duplicates: images that differ only by compression, brightness and contrast.
//!
//! Each image is reduced to a thumbnail: its area means on a grid of at most 32 x 32 cells, which
//! removes compression noise, normalised to mean 0 and length 1, which removes brightness and
//! contrast. The squared distance of two thumbnails is 2 (1 - r), where r is their correlation: the
//! normalised cross-correlation of template matching (Lewis 1995).
//!
//! The threshold depends on the data: hands in front of one wall are more alike than cats in gardens.
//! Distances are therefore divided by the class scale, the median distance between two different
//! images of a class in the searched set. Near-duplicates are closer than a sixth of it.
//!
//! A descriptor of 8 x 8 grey cells makes the search fast and exact: averaging cells never increases
//! a distance, so that the distance of two descriptors is a lower bound.

mod class_scale;
mod index;
mod search;
#[cfg(test)]
mod tests;
mod thumbnail;

pub(crate) use index::Neighbour;
pub use index::{NearDuplicate, NearDuplicateIndex, NearDuplicates};
