//! HDF5 files of labelled examples, in the layouts of Andrew Ng's courses (`train_set_x`, `train_set_y`,
//! `list_classes`, and the same with `test_set_`) and of other tools (`x_train`, `images`, ..).
//!
//! libhdf5 follows links out of the file, decompresses without bound and trusts the sizes that a file
//! declares. It therefore reads the structure alone, in a sandboxed subprocess if the program calls
//! [`isolate`]. The bytes of labels, names, pixels and features are read, bounded and decoded here,
//! after every object has passed its checks. Pixels and features whose rows are contiguous may stay in
//! the file, as a [`data::RowSource`].
//!
//! - [`open`], [`read`], [`splits`]: reading; [`ObjectKeys`]: the same with names of objects.
//! - [`write()`], [`write_synthetic`], [`FileContents`]: writing.
//! - [`isolate`], [`neutralise_environment`]: protection against damaged files and the environment.

mod budget;
mod chunks;
mod classes;
mod element;
mod error;
mod ffi;
mod heap;
mod labels;
mod naming;
mod object;
mod open_file;
mod part;
mod part_objects;
mod reader;
mod rows;
mod storage;
mod structure;
#[cfg(test)]
mod tests;
mod write;

pub use classes::ClassNames;
pub use error::{Hdf5Error, Hdf5ErrorKind};
pub use ffi::neutralise_environment;
pub use naming::part_of;
pub use part::{Hdf5File, Hdf5Part, ImageLayout, ObjectKeys, Residency, open, read, splits};
pub use reader::isolate;
pub use write::{FileContents, write, write_synthetic};
