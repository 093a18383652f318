//! Image files: their folders and labels, decoding, resizing and the cache of resized images.

mod block;
mod cache;
mod checksums;
mod csv_labels;
mod decode;
mod error;
mod formats;
mod frame;
mod label_rules;
mod listing;
pub(crate) mod marker_files;
mod natural_order;
mod rows;
mod scan;
mod split_folders;
#[cfg(test)]
mod tests;

pub use block::{BLOCK, ImageFacts, decode_block};
pub(crate) use cache::CachedImages;
pub(crate) use checksums::of as file_checksums;
pub use decode::{DecodedImage, ImageFileError, ImageHeader};
pub use error::{ImagesError, UnreadableImage};
pub(crate) use error::{counted, first_few};
pub use frame::Frame;
pub use scan::{ImageFile, ImageList, Labelling};
