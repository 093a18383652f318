//! Random changes of training images: `augmentation = [..]`, applied in the order of the list.

mod affine;
mod augmenter;
mod canvas;
mod colour;
mod cutout;
mod geometry;
mod mixing;
mod random;
mod resample;
mod spec;
mod stage;
#[cfg(test)]
mod tests;

pub use augmenter::Augmenter;
pub use mixing::{BatchIndex, Mix};
pub use spec::Augmentation;
