//! HDF5 files of labelled examples, in the layouts of Andrew Ng's courses (`train_set_x`, `train_set_y`,
//! `list_classes`, and the same with `test_set_`) and of other tools (`x_train`, `images`, ..).
//!
//! libhdf5 follows links out of the file, decompresses without bound and trusts the sizes that a file
//! declares. It therefore reads the structure alone, in a sandboxed subprocess if the program calls
//! [`isolate`]. The bytes of labels, names, pixels and features are read, bounded and decoded here,
//! after every object has passed its checks. Pixels and features whose rows are contiguous may stay in
//! the file, as a [`data::RowSource`].
//!
//! - [`open`], [`read`], [`info`], [`splits`]: reading; [`ObjectKeys`]: the same with names of objects.
//! - [`write()`], [`write_synthetic`], [`FileContents`]: writing.
//! - [`isolate`], [`neutralise_environment`]: protection against damaged files and the environment.

mod budget;
mod buffer;
mod chunks;
mod classes;
mod context;
mod element;
mod error;
mod features;
mod ffi;
mod file;
mod fletcher32;
mod heap;
mod image_axes;
mod labels;
mod lzf;
mod mend;
mod names;
mod naming;
mod number;
mod object;
mod object_keys;
mod open_file;
mod part;
mod part_objects;
mod raw;
mod reader;
mod residency;
mod rows;
mod signature;
mod storage;
mod stream;
mod structure;
#[cfg(test)]
mod tests;
mod values;
mod write;

pub use classes::ClassNames;
pub use error::{Hdf5Error, ReaderFailure};
pub use ffi::neutralise_environment;
pub use file::{info, open, read, splits};
pub use naming::part_of;
pub use object_keys::{ImageLayout, ObjectKeys};
pub use part::{Hdf5File, Hdf5Part};
pub use reader::isolate;
pub use residency::Residency;
pub use stream::FileContents;
pub use write::{write, write_synthetic};
