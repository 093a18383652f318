//! An HDF5 file of examples.

use std::fs;
use std::sync::LazyLock;

use data::SplitKind;
use tempfile::TempDir;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| {
    data_hdf5::neutralise_environment();
    TempDir::new().unwrap()
});

/// Lists the parts of `bytes` and reads each. Accepted data must be complete.
pub fn read(bytes: &[u8]) {
    let path = DIRECTORY.path().join("data.h5");
    fs::write(&path, bytes).unwrap();
    let _ = data_hdf5::splits(&path);
    for split in SplitKind::ALL {
        if let Ok(file) = data_hdf5::read(&path, split) {
            let labels = &file.examples.labels;
            assert!(labels.iter().all(|&label| (label as usize) < file.classes.len()));
            let every: Vec<usize> = (0..labels.len()).collect();
            let values = file.examples.gather(&every).unwrap();
            assert_eq!(values.len(), labels.len() * file.examples.width());
        }
    }
}
