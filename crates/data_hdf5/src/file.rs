use std::path::Path;

use data::{DatasetInfo, Examples, Fit, SplitKind, StoredRows, Values};

use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::residency::Residency;
use crate::rows::{Encoding, Hdf5Rows, Layout, RowsLocation, Table, UnchangedFile};
use crate::structure::{self, Structure};
use crate::{names, reader};

/// Examples of one part of an HDF5 file.
#[derive(Debug, Clone, PartialEq)]
pub struct Hdf5File {
    /// Examples with their labels, in the order of the file.
    pub examples: Examples,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether the examples are synthetic.
    pub synthetic: bool,
    /// How its images were resized, if the file says so.
    pub fit: Option<Fit>,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// Reads one part of an HDF5 file into memory, like [`open`].
///
/// # Errors
///
/// See [`open`].
pub fn read(path: &Path, split: SplitKind) -> Result<Hdf5File, Hdf5Error> {
    open(path, split, Residency::InMemory)
}

/// Opens one part of an HDF5 file. Its structure is read in a subprocess if the program called
/// [`isolate`](crate::isolate). A validation set has a file of its own, in the layout of a training
/// set.
///
/// Images are u8 `[n, height, width, channels]` with 1 or 3 channels. Features are float32 or
/// float64 `[n, width]` with a width from 1 to 4096, all within the range of `f32`. Labels are
/// integers or strings of digits, one per example: `(n,)`, `(1, n)` or `(n, 1)`. Class names are
/// integers or strings; without `list_classes`, integer labels stand for classes named `"0"`, `"1"`
/// and so on.
///
/// # Errors
///
/// [`Hdf5Error`] if the file is not HDF5, lacks an object, stores one in an unsupported way (links,
/// other files, other filters, more than its length or the free memory can hold), is damaged, or
/// contains invalid features, labels or names.
pub fn open(path: &Path, split: SplitKind, residency: Residency) -> Result<Hdf5File, Hdf5Error> {
    let Structure { shape, labels, classes, synthetic, fit, location } = structure(path, split)?;
    let context = ErrorContext::new(path, names::examples(split));
    let (values, sha256) = values(&context, shape, labels.len(), location, residency)?;
    let examples = Examples::new(shape, values, labels);
    Ok(Hdf5File { examples, classes, synthetic, fit, sha256 })
}

/// Describes one part of an HDF5 file without reading its pixels or features.
///
/// # Errors
///
/// See [`open`]; pixels and features are not checked.
pub fn info(path: &Path, split: SplitKind) -> Result<DatasetInfo, Hdf5Error> {
    let Structure { shape, classes, synthetic, location, .. } = structure(path, split)?;
    let are_images = location.encoding == Encoding::Pixel;
    Ok(DatasetInfo { shape, are_images, classes, synthetic })
}

/// Reads the structure of a file, in a subprocess if the program called [`isolate`](crate::isolate).
fn structure(path: &Path, split: SplitKind) -> Result<Structure, Hdf5Error> {
    match reader::program() {
        Some(program) => reader::read(program, path, split),
        None => structure::read(path, split, |_| Ok(())),
    }
}

/// Reads the values of `count` examples, once from the start of the file to its end, and hashes it.
fn values(
    context: &ErrorContext,
    shape: [usize; 3],
    count: usize,
    RowsLocation { encoding, layout }: RowsLocation,
    residency: Residency,
) -> Result<(Values, String), Hdf5Error> {
    let (width, channels) = (shape.iter().product(), shape[2]);
    let file = UnchangedFile::open(context.file)?;
    let segments = layout.segments(count, width * encoding.size(), file.length());
    let segments = segments.ok_or_else(|| context.damaged("it exceeds the end of the file"))?;
    let object = context.object.clone();
    let table = Table { file, object, encoding, width, channels, count, segments };
    let (rows, sha256) = match layout {
        Layout::Packed(_) if residency == Residency::InFile => {
            return Err(context.structure("not stored row by row", "contiguous rows", UNPACK));
        }
        Layout::Packed(bytes) => table.unpack(bytes)?,
        _ if table.stays_in_file(residency)? => {
            let (rows, sha256) = Hdf5Rows::scan(table)?;
            return Ok((Values::Stored(StoredRows::new(rows)), sha256));
        }
        _ => table.read()?,
    };
    Ok((rows.into(), sha256))
}

const UNPACK: &str = "leave `dataset.hdf5.in_memory` out, or repack it: \
                      `h5repack -f NONE -l CONTI old.h5 new.h5`";
