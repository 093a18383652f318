//! An HDF5 file of examples.

use std::fs;
use std::sync::LazyLock;

use dataset::hdf5::{self, Part};
use tempfile::TempDir;

static PLACE: LazyLock<TempDir> = LazyLock::new(|| {
    hdf5::neutralise_environment();
    TempDir::new().unwrap()
});

/// Reads `bytes` as a data set, both parts of it. What is accepted must be whole.
pub fn read(bytes: &[u8]) {
    let path = PLACE.path().join("data.h5");
    fs::write(&path, bytes).unwrap();
    for part in [Part::Train, Part::Test] {
        if let Ok(file) = hdf5::read(&path, part) {
            let labels = &file.examples.labels;
            assert!(labels.iter().all(|&label| (label as usize) < file.classes.len()));
            let every: Vec<usize> = (0..labels.len()).collect();
            let values = file.examples.gather(&every).unwrap();
            assert_eq!(values.len(), labels.len() * file.examples.width());
        }
    }
}
