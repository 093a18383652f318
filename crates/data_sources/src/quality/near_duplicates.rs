//! Near-duplicates: images that differ by no more than what compression, brightness and contrast
//! make of one picture.
//!
//! Images are compared as their area means on a grid of at most 32 x 32 cells, which takes the
//! noise of a compression out, brought to mean 0 and length 1, which takes brightness and contrast
//! out. Their squared distance is then 2 (1 - r), where r is their correlation: the normalised
//! cross-correlation of template matching (Lewis 1995).
//!
//! How small is small depends on the data: fists before one wall are more alike than cats in
//! gardens. So the yardstick is taken from the training set itself, for each class: the median
//! distance between two different images of it. A twin is closer than [`CLOSE`] of that.
//!
//! A sketch of 8 x 8 grey cells makes the search fast and loses nothing: means over cells bring two
//! images closer together and never further apart, so that the distance of the sketches is a lower
//! bound.

mod class_scale;
mod index;
mod reduction;
mod search;
#[cfg(test)]
mod tests;

pub(crate) use index::Neighbour;
pub use index::{NearDuplicate, NearDuplicateIndex, NearDuplicates};
