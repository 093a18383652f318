//! Near-duplicates: images that differ only by compression, size, brightness and contrast.
//!
//! Each image is reduced to a thumbnail: its area means on a grid of at most 32 x 32 cells, fewer for
//! colours, which removes compression noise, normalised to mean 0 and length 1, which removes brightness
//! and contrast. The squared distance of two thumbnails is 2 (1 - r), where r is their correlation: the
//! normalised cross-correlation of template matching (Lewis 1995).
//!
//! The threshold depends on the data: hands in front of one wall are more alike than cats in gardens.
//! Distances are therefore divided by the median distance between two images of the data set, and
//! near-duplicates are closer than a sixth. Where many different images are nearly that close, as solar
//! cells are, near-duplicates must also correlate after what the images have in common, their first
//! principal components, is removed. This [`Measure`] is fitted to all parts of a data set together.
//!
//! The coordinates in the principal components make the search fast and exact: the distance of two
//! projections is a lower bound of that of the thumbnails. 50,000 images of 32x32x3 take seconds.

mod common_structure;
mod index;
mod measure;
#[cfg(test)]
mod tests;
mod thumbnail;

pub(crate) use index::Neighbour;
pub use index::{NearDuplicate, NearDuplicateIndex};
pub use measure::{Measure, Tolerance};
pub(crate) use thumbnail::dot;
