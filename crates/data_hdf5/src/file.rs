use std::path::Path;

use data::{DatasetInfo, SplitKind};

use crate::error::Hdf5Error;
use crate::object_keys::ObjectKeys;
use crate::part::Hdf5File;
use crate::residency::Residency;

/// Reads one part of an HDF5 file into memory, like [`open`].
///
/// # Errors
///
/// See [`open`].
pub fn read(path: &Path, split: SplitKind) -> Result<Hdf5File, Hdf5Error> {
    open(path, split, Residency::InMemory)
}

/// Opens one part of an HDF5 file, whose objects have one of the usual names. Its structure is read in a
/// subprocess if the program called [`isolate`](crate::isolate). A validation set may be in a file of its
/// own, under the names of a training set.
///
/// Images are `[n, height, width, channels]`, `[n, channels, height, width]` or `[n, height, width]` with
/// 1 or 3 channels: u8, or integers or floats whose values tell their scale. Features are floats
/// `[n, width]` with a width from 1 to 4096, all within the range of `f32`. Labels are whole numbers,
/// names, or one-hot rows. Class names are integers or strings; without a list, names among the labels
/// are the classes, and integer labels stand for classes named `"0"`, `"1"` and so on.
///
/// # Errors
///
/// [`Hdf5Error`] if the file is not HDF5, lacks an object, stores one in an unsupported way (links,
/// other files, other filters, more than its length or the free memory can hold), is damaged, or
/// contains invalid values, labels or names.
pub fn open(path: &Path, split: SplitKind, residency: Residency) -> Result<Hdf5File, Hdf5Error> {
    ObjectKeys::default().open(path, split)?.read(residency)
}

/// Returns the parts of an HDF5 file, in their usual order. Objects that name no part are a training set.
///
/// # Errors
///
/// If the file is not HDF5 or damaged.
pub fn splits(path: &Path) -> Result<Vec<SplitKind>, Hdf5Error> {
    let parts = ObjectKeys::default().parts(path)?;
    let is_there = |split: &SplitKind| {
        parts.contains(&Some(*split)) || (*split == SplitKind::Train && parts.contains(&None))
    };
    Ok(SplitKind::ALL.into_iter().filter(is_there).collect())
}

/// Describes one part of an HDF5 file without reading its pixels or features.
///
/// # Errors
///
/// See [`open`]; pixels and features are not checked.
pub fn info(path: &Path, split: SplitKind) -> Result<DatasetInfo, Hdf5Error> {
    ObjectKeys::default().info(path, split)
}
