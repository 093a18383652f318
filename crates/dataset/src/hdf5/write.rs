//! Writes the layout that [`super::read`] reads, at once or not at all.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use hdf5::types::{FixedUnicode, TypeDescriptor};
use hdf5::{Dataset, Group};

use super::error::Site;
use super::features::MAX_WIDTH;
use super::source::{CLASSES, MAX_EXAMPLES, STAND_IN};
use super::values::MAX_TEXT;
use super::{Hdf5Error, Part, classes, features, labels};
use crate::examples::{Examples, Values};

/// Writes one part to a new HDF5 file, in place of an earlier one: u8 pixels
/// `[n, height, width, channels]` or float64 features `[n, width]`, int64 labels `[n]`, and the
/// names as int64 if all are integers, else as strings of one length. Equal arguments give equal bytes.
///
/// The file appears complete or not at all: it is written beside its place, then moved there.
///
/// # Errors
///
/// [`Hdf5Error::Structure`] and [`Hdf5Error::Content`] for what [`super::read`] would refuse;
/// [`Hdf5Error::Write`] when the disk refuses.
pub fn write(
    path: &Path,
    part: Part,
    examples: &Examples,
    classes: &[String],
) -> Result<(), Hdf5Error> {
    write_marked(path, part, examples, classes, false)
}

/// As [`write()`], with the mark that the examples are drawn: [`super::read`] tells it.
///
/// # Errors
///
/// As [`write()`].
pub fn write_stand_in(
    path: &Path,
    part: Part,
    examples: &Examples,
    classes: &[String],
) -> Result<(), Hdf5Error> {
    write_marked(path, part, examples, classes, true)
}

fn write_marked(
    path: &Path,
    part: Part,
    examples: &Examples,
    classes: &[String],
    stand_in: bool,
) -> Result<(), Hdf5Error> {
    let examples = &*in_memory(examples)?;
    check(path, part, examples, classes)?;
    put_in_place(path, part, classes, stand_in, |file, site| {
        write_values(file, part.examples(), examples).map_err(|error| site.write(error))?;
        Ok(examples.labels.clone())
    })
}

/// Writes a file with the examples that `fill` puts into it, whose labels it gives.
pub(super) fn put_in_place<E: From<Hdf5Error>>(
    path: &Path,
    part: Part,
    classes: &[String],
    stand_in: bool,
    fill: impl FnOnce(&Group, &Site) -> Result<Vec<u32>, E>,
) -> Result<(), E> {
    let site = Site::new(path, "");
    let partial = partial(path);
    let written = write_all(&partial, path, part, (classes, stand_in), fill)
        .and_then(|()| Ok(commit(&partial, path).map_err(|error| site.write(error))?));
    if written.is_err() {
        // The error that is returned says why; a leftover is written over the next time.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn in_memory(examples: &Examples) -> Result<Cow<'_, Examples>, Hdf5Error> {
    let Values::Stored(stored) = &examples.values else { return Ok(Cow::Borrowed(examples)) };
    let values = stored.read(&(0..examples.len()).collect::<Vec<_>>())?;
    Ok(Cow::Owned(Examples { values, labels: examples.labels.clone(), ..*examples }))
}

fn check(
    path: &Path,
    part: Part,
    examples: &Examples,
    classes: &[String],
) -> Result<(), Hdf5Error> {
    let site = Site::new(path, CLASSES);
    classes::check_count(&site, classes.len())?;
    classes::check(&site, classes)?;
    let numbers: Vec<i128> = examples.labels.iter().copied().map(i128::from).collect();
    labels::indices(&Site::new(path, part.labels()), &numbers, classes.len())?;
    check_values(&Site::new(path, part.examples()), examples)
}

fn check_values(site: &Site, examples: &Examples) -> Result<(), Hdf5Error> {
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
            Err(site.structure(found, PIXELS, "check the images"))
        }
        Values::Features(features)
            if fits(features.len(), size_of::<f64>()) && matches!(shape, [1, 1, 1..=MAX_WIDTH]) =>
        {
            let mut features = features.iter().enumerate();
            features.try_for_each(|(index, &feature)| {
                features::narrow(site, index, channels, f64::from(feature)).map(drop)
            })
        }
        // What is written is in memory.
        Values::Stored(_) => Err(site.structure("in a file", PIXELS, "check the examples")),
        Values::Features(features) => {
            let held = features.len();
            let found = format!("{held} numbers for {count} examples of shape {shape:?}");
            Err(site.structure(found, FEATURES, "check the features"))
        }
    }
}

const PIXELS: &str = "one byte for each pixel of 1 to 16,777,216 images with 1 or 3 channels, \
                      at most 8 GiB in all";
const FEATURES: &str = "1 to 4,096 numbers, shape [1, 1, n], for each of 1 to 16,777,216 \
                        examples, at most 8 GiB in all as float64";

/// The most that is written.
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
    part: Part,
    (classes, stand_in): (&[String], bool),
    fill: impl FnOnce(&Group, &Site) -> Result<Vec<u32>, E>,
) -> Result<(), E> {
    // What the system says of the place is plainer than what libhdf5 does.
    File::create(partial).map_err(|error| Site::new(path, "").write(error))?;
    let file = hdf5::File::with_options().with_fapl(|access| access.sec2()).create(partial);
    let file = file.map_err(|error| Site::new(path, "").write(error))?;
    let put = |name: &str, result: hdf5::Result<()>| {
        result.map_err(|error| Site::new(path, name).write(error))
    };
    let labels = fill(&file, &Site::new(path, part.examples()))?;
    let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
    put(part.labels(), write_numbers(&file, part.labels(), &[labels.len()], &labels))?;
    put(CLASSES, write_classes(&file, classes))?;
    if stand_in {
        put(STAND_IN, write_numbers(&file, STAND_IN, &[1], &[1_u8]))?;
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

/// The number that is written like `name` and in no other way.
fn integer(name: &str) -> Option<i64> {
    name.parse::<i64>().ok().filter(|number| number.to_string() == name)
}

// Without times, so that equal data gives equal files.
pub(super) fn create(
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
    // The new name is durable once its folder is; not every file system can say so.
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
    Ok(())
}
