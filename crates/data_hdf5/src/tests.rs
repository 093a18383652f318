#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damaged;
mod features;
mod hostile;
mod layouts;
mod strange;
mod variants;
mod writing;

use std::path::{Path, PathBuf};

use data::{Examples, SplitKind, Values};
use hdf5::types::TypeDescriptor;
use hdf5::{File, H5Type};

use super::{Hdf5Error, Hdf5File, naming, read};

/// A temporary directory with one file.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("set.h5")
    }

    /// In the oldest format, whose bytes have no checksums and can be patched.
    fn create(&self) -> File {
        let mut options = File::with_options();
        options.with_fapl(|access| access.libver_earliest()).create(self.path()).unwrap()
    }

    fn holding(bytes: &[u8]) -> Self {
        let place = Self::new();
        std::fs::write(place.path(), bytes).unwrap();
        place
    }

    fn read(&self) -> Result<Hdf5File, Hdf5Error> {
        read(&self.path(), SplitKind::Train)
    }

    /// Error message, which must name the file.
    fn refusal(&self) -> String {
        let message = self.read().unwrap_err().to_string();
        assert!(message.contains("set.h5"), "{message}");
        assert!(!message.contains('\n'), "{message}");
        message
    }
}

/// Six images of 2 by 2 pixels in 3 classes.
fn small() -> Examples {
    Examples::images([2, 2, 3], pixels(), vec![0, 1, 2, 2, 1, 0])
}

fn pixels() -> Vec<u8> {
    (0..6 * 2 * 2 * 3).map(|pixel| pixel as u8 * 3).collect()
}

fn names(classes: &[&str]) -> Vec<String> {
    classes.iter().map(|name| (*name).to_owned()).collect()
}

fn put<T: H5Type>(file: &File, name: &str, shape: &[usize], data: &[T]) {
    put_as(file, name, shape, data, T::type_descriptor());
}

fn put_as<T: H5Type>(file: &File, name: &str, shape: &[usize], data: &[T], dtype: TypeDescriptor) {
    let set = file.new_dataset_builder().empty_as(dtype).shape(shape).create(name).unwrap();
    set.write_raw(data).unwrap();
}

fn put_pixels(file: &File) {
    put(file, "train_set_x", &[6, 2, 2, 3], &pixels());
}

fn put_labels(file: &File) {
    put(file, "train_set_y", &[6], &[0_i64, 1, 2, 2, 1, 0]);
}

fn put_classes(file: &File) {
    put(file, "list_classes", &[3], &[0_i64, 1, 2]);
}

/// Writes a complete training set: the examples of [`small`].
fn put_training_set(file: &File) {
    put_pixels(file);
    put_labels(file);
    put_classes(file);
}

/// Path of a file of the course beside the checkout, for tests that are ignored by default.
fn course_data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path)
}

fn assert_says(message: &str, words: &[&str]) {
    words.iter().for_each(|word| assert!(message.contains(word), "{word:?} not in: {message}"));
}
