//! Random changes of training images: `augmentation = [..]`, applied in the order of the list.

mod affine;
mod augmenter;
mod canvas;
mod colour;
mod crop_and_erase;
mod geometry;
mod mixing;
mod operation;
mod random;
mod region;
mod resample;
mod spec;
mod stage;
#[cfg(test)]
mod tests;
mod tone;

pub use augmenter::Augmenter;
pub use crop_and_erase::{RandomErasing, RandomResizedCrop};
pub use mixing::{BatchIndex, Mix};
pub use spec::Augmentation;
