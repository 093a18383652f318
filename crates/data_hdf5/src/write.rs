//! Atomic writing of the layout that [`read`](crate::read) accepts.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use data::{DatasetError, Examples, SplitKind, Values};
use hdf5::types::{FixedUnicode, TypeDescriptor};
use hdf5::{Dataset, Group};

use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::names::{self, CLASSES, SYNTHETIC};
use crate::part_objects::{MAX_EXAMPLES, MAX_WIDTH};
use crate::values::MAX_TEXT;
use crate::{classes, features, labels};

/// Writes one part to an HDF5 file, replacing an existing one: u8 pixels `[n, height, width, channels]`
/// or float64 features `[n, width]`, int64 labels `[n]`, and the class names as int64 if all are
/// integers, otherwise as strings of one length. Equal arguments give equal bytes.
///
/// The file is written beside its path and then moved there, so that it is never incomplete.
///
/// # Errors
///
/// [`Hdf5Error::Structure`] and [`Hdf5Error::Content`] for data that [`read`](crate::read) would
/// refuse, [`Hdf5Error::Write`] if the disk fails, or an error of the source of the examples.
pub fn write(
    path: &Path,
    split: SplitKind,
    examples: &Examples,
    classes: &[String],
) -> Result<(), DatasetError> {
    write_marked(path, split, examples, classes, false)
}

/// Writes a file like [`write()`], marked as synthetic.
///
/// # Errors
///
/// See [`write()`].
pub fn write_synthetic(
    path: &Path,
    split: SplitKind,
    examples: &Examples,
    classes: &[String],
) -> Result<(), DatasetError> {
    write_marked(path, split, examples, classes, true)
}

fn write_marked(
    path: &Path,
    split: SplitKind,
    examples: &Examples,
    classes: &[String],
    synthetic: bool,
) -> Result<(), DatasetError> {
    let all: Vec<usize> = (0..examples.len()).collect();
    let examples = &*examples.in_memory(&all)?.0;
    check(path, split, examples, classes)?;
    put_in_place(path, split, classes, &[synthetic.then_some(SYNTHETIC)], |file, context| {
        write_values(file, names::examples(split), examples)
            .map_err(|error| context.write(error))?;
        Ok(examples.labels.clone())
    })
}

/// Writes a file atomically, with an object for each of the `marks`. `fill` writes the examples and
/// returns their labels.
pub fn put_in_place<E: From<Hdf5Error>>(
    path: &Path,
    split: SplitKind,
    classes: &[String],
    marks: &[Option<&'static str>],
    fill: impl FnOnce(&Group, &ErrorContext) -> Result<Vec<u32>, E>,
) -> Result<(), E> {
    let context = ErrorContext::new(path, "");
    let partial = partial(path);
    let written = write_all(&partial, path, split, (classes, marks), fill)
        .and_then(|()| Ok(commit(&partial, path).map_err(|error| context.write(error))?));
    if written.is_err() {
        // A leftover is overwritten the next time.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn check(
    path: &Path,
    split: SplitKind,
    examples: &Examples,
    classes: &[String],
) -> Result<(), Hdf5Error> {
    let context = ErrorContext::new(path, CLASSES);
    classes::check_count(&context, classes.len(), classes::LEAST)?;
    classes::check(&context, classes)?;
    let numbers: Vec<i128> = examples.labels.iter().copied().map(i128::from).collect();
    labels::indices(&ErrorContext::new(path, names::labels(split)), &numbers, classes.len())?;
    check_values(&ErrorContext::new(path, names::examples(split)), examples)
}

fn check_values(context: &ErrorContext, examples: &Examples) -> Result<(), Hdf5Error> {
    let (shape @ [height, width, channels], count) = (examples.shape, examples.len());
    let size = [count, height, width, channels].iter().try_fold(1_usize, |a, &b| a.checked_mul(b));
    let fits = |held: usize, bytes: usize| {
        (1..=MAX_EXAMPLES).contains(&count)
            && (1..=MAX_BYTES / bytes).contains(&held)
            && size == Some(held)
    };
    match &examples.values {
        Values::Pixels(pixels) if fits(pixels.len(), 1) && [1, 3].contains(&channels) => Ok(()),
        Values::Pixels(pixels) => {
            let found = format!("{} bytes for {count} images of shape {shape:?}", pixels.len());
            Err(context.structure(found, PIXELS, "check the images"))
        }
        Values::Features(features)
            if fits(features.len(), size_of::<f64>()) && matches!(shape, [1, 1, 1..=MAX_WIDTH]) =>
        {
            let mut features = features.iter().enumerate();
            features.try_for_each(|(index, &feature)| {
                features::narrow(context, index, channels, f64::from(feature)).map(drop)
            })
        }
        // Examples in memory are not stored elsewhere.
        Values::Stored(_) => Err(context.structure("in a file", PIXELS, "check the examples")),
        Values::Features(features) => {
            let held = features.len();
            let found = format!("{held} numbers for {count} examples of shape {shape:?}");
            Err(context.structure(found, FEATURES, "check the features"))
        }
    }
}

const PIXELS: &str = "one byte for each pixel of 1 to 16,777,216 images with 1 or 3 channels, \
                      at most 8 GiB in all";
const FEATURES: &str = "1 to 4,096 numbers, shape [1, 1, n], for each of 1 to 16,777,216 \
                        examples, at most 8 GiB in all as float64";

/// Maximum number of bytes written.
const MAX_BYTES: usize = 8 << 30;

// Beside the file, so that moving it does not cross file systems.
fn partial(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

fn write_all<E: From<Hdf5Error>>(
    partial: &Path,
    path: &Path,
    split: SplitKind,
    (classes, marks): (&[String], &[Option<&'static str>]),
    fill: impl FnOnce(&Group, &ErrorContext) -> Result<Vec<u32>, E>,
) -> Result<(), E> {
    // The error of the system is clearer than that of libhdf5.
    File::create(partial).map_err(|error| ErrorContext::new(path, "").write(error))?;
    // libhdf5 2 would choose a newer format than 1.10, and other bytes.
    let mut options = hdf5::File::with_options();
    options.with_fapl(|access| access.sec2().libver_earliest());
    let file = options.create(partial).map_err(|error| ErrorContext::new(path, "").write(error))?;
    let put = |name: &str, result: hdf5::Result<()>| {
        result.map_err(|error| ErrorContext::new(path, name).write(error))
    };
    let labels = fill(&file, &ErrorContext::new(path, names::examples(split)))?;
    let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
    put(
        names::labels(split),
        write_numbers(&file, names::labels(split), &[labels.len()], &labels),
    )?;
    put(CLASSES, write_classes(&file, classes))?;
    for mark in marks.iter().flatten() {
        put(mark, write_numbers(&file, mark, &[1], &[1_u8]))?;
    }
    Ok(put("", file.close())?)
}

fn write_values(file: &Group, name: &str, examples: &Examples) -> hdf5::Result<()> {
    let ([height, width, channels], count) = (examples.shape, examples.len());
    match &examples.values {
        Values::Pixels(pixels) => {
            write_numbers(file, name, &[count, height, width, channels], pixels)
        }
        Values::Features(features) => {
            let features: Vec<f64> = features.iter().copied().map(f64::from).collect();
            write_numbers(file, name, &[count, channels], &features)
        }
        Values::Stored(_) => Err("the examples are in a file".into()),
    }
}

fn write_numbers<T: hdf5::H5Type>(
    file: &Group,
    name: &str,
    shape: &[usize],
    data: &[T],
) -> hdf5::Result<()> {
    create(file, name, shape, T::type_descriptor())?.write_raw(data)
}

fn write_classes(file: &Group, classes: &[String]) -> hdf5::Result<()> {
    if let Some(numbers) = classes.iter().map(|name| integer(name)).collect::<Option<Vec<i64>>>() {
        return write_numbers(file, CLASSES, &[numbers.len()], &numbers);
    }
    let longest = classes.iter().map(String::len).max().unwrap_or(1);
    let names = classes.iter().map(|name| name.parse::<FixedUnicode<MAX_TEXT>>());
    let names: Vec<_> = names.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    create(file, CLASSES, &[names.len()], TypeDescriptor::FixedUnicode(longest))?.write_raw(&names)
}

/// Returns the integer whose decimal form is `name`.
fn integer(name: &str) -> Option<i64> {
    name.parse::<i64>().ok().filter(|number| number.to_string() == name)
}

// Without timestamps, so that equal data give equal files.
pub fn create(
    file: &Group,
    name: &str,
    shape: &[usize],
    dtype: TypeDescriptor,
) -> hdf5::Result<Dataset> {
    file.new_dataset_builder().obj_track_times(false).empty_as(dtype).shape(shape).create(name)
}

fn commit(partial: &Path, path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(partial)?.sync_all()?;
    fs::rename(partial, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // The new name is durable once its directory is; not every file system supports that.
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
    Ok(())
}
