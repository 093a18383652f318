//! Random changes of training images: `augmentation = [..]`, applied in the order of the list.

mod augmenter;
mod canvas;
mod colour;
mod geometry;
mod operation;
mod spec;
#[cfg(test)]
mod tests;

pub use augmenter::{Augmenter, Mix};
pub use spec::{Augmentation, RandomErasing, RandomResizedCrop};
