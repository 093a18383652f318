//! Image files: their folders and labels, decoding, resizing and the cache of resized images.

mod block;
mod cache;
mod checksums;
mod csv_labels;
mod decode;
mod error;
mod frame;
mod label_rules;
mod listing;
mod loading;
mod natural_order;
mod scan;
#[cfg(test)]
mod tests;

pub use block::{BLOCK, ImageFacts, decode_block};
pub(crate) use cache::directory as cache_directory;
pub use decode::{DecodedImage, ImageFileError, ImageHeader};
pub use error::{ImagesError, UnreadableImage};
pub(crate) use error::{counted, first_few, first_of};
pub use frame::Frame;
pub(crate) use listing::{CLASSES, SYNTHETIC};
pub(crate) use loading::{LoadedImages, Loading};
pub use scan::{ImageFile, ImageList, Labelling};
