//! HDF5 files of labelled examples, in the layout of Andrew Ng's courses: `train_set_x`,
//! `train_set_y`, `list_classes`, and the same with `test_set_`.
//!
//! libhdf5 follows links out of the file, decompresses without bound and trusts the sizes that a file
//! declares. It therefore reads the structure alone, in a sandboxed subprocess if the program calls
//! [`isolate`]. The bytes of labels, names, pixels and features are read, bounded and decoded here,
//! after every object has passed its checks. Pixels and features whose rows are contiguous may stay in
//! the file, as a [`data::RowSource`].
//!
//! - [`open`], [`read`], [`info`]: reading.
//! - [`write()`], [`write_synthetic`], [`FileContents`]: writing.
//! - [`isolate`], [`neutralise_environment`]: protection against damaged files and the environment.

mod budget;
mod buffer;
mod chunks;
mod classes;
mod context;
mod course_layout;
mod element;
mod error;
mod features;
mod ffi;
mod file;
mod heap;
mod labels;
mod names;
mod number;
mod object;
mod open_file;
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

pub use error::{Hdf5Error, ReaderFailure};
pub use ffi::neutralise_environment;
pub use file::{Hdf5File, info, open, read};
pub use reader::isolate;
pub use residency::Residency;
pub use stream::FileContents;
pub use write::{write, write_synthetic};
