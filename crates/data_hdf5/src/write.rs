//! Atomic writing of the layout that [`read`](crate::read) accepts.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::Path;

use data::{DatasetError, Examples, Fit, SplitKind, Values};
use hdf5::types::{FixedUnicode, TypeDescriptor};
use hdf5::{Dataset, Group, H5Type};
use ndarray::{Array2, Array4};
use support::durable_fs;

use crate::error::{ErrorContext, Hdf5Error};
use crate::naming::{self, CLASS_LIST, FITS, SYNTHETIC};
use crate::object::MAX_TEXT;
use crate::part_objects::{MAX_EXAMPLES, MAX_WIDTH};
use crate::rows::out_of_range;
use crate::{classes, labels, storage};

/// Writes one part to an HDF5 file, replacing an existing one: u8 pixels `[n, height, width, channels]`
/// or float64 features `[n, width]`, int64 labels `[n]`, and the class names as int64 if all are
/// integers, otherwise as strings of one length. Equal arguments give equal bytes.
///
/// The file is written beside its path and then moved there, so that it is never incomplete. Fails for data
/// that [`read`](crate::read) would refuse, and if the source of the examples or the disk fails.
pub fn write(
    path: &Path,
    split: SplitKind,
    examples: &Examples,
    classes: &[String],
) -> Result<(), DatasetError> {
    write_marked(path, split, examples, classes, false)
}

/// Writes a file like [`write()`], marked as synthetic.
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
    check_classes(path, classes)?;
    let numbers: Vec<i128> = examples.labels.iter().copied().map(i128::from).collect();
    labels::indices(&ErrorContext::new(path, naming::labels(split)), &numbers, classes.len())?;
    check_values(&ErrorContext::new(path, naming::examples(split)), examples)?;
    let (shape, are_images, count) = (examples.shape, examples.are_images(), examples.len());
    let contents = FileContents { split, count, shape, are_images, classes, fit: None, synthetic };
    contents.write(path, |items| Ok(examples.select(&items.collect::<Vec<_>>())))
}

fn check_classes(path: &Path, classes: &[String]) -> Result<(), Hdf5Error> {
    classes::check(&ErrorContext::new(path, CLASS_LIST), classes, classes::LEAST)
}

/// Fails unless the values, which are in memory, are as many as the shape says and valid.
fn check_values(context: &ErrorContext, examples: &Examples) -> Result<(), Hdf5Error> {
    let (shape @ [.., channels], count) = (examples.shape, examples.len());
    let size = shape.iter().try_fold(count, |size, &side| size.checked_mul(side));
    let fits = |held| (1..=MAX_EXAMPLES).contains(&count) && held > 0 && size == Some(held);
    match &examples.values {
        Values::Pixels(pixels) if !fits(pixels.len()) || ![1, 3].contains(&channels) => {
            let found = format!("{} bytes for {count} images of shape {shape:?}", pixels.len());
            let expected = "one byte for each pixel of 1 to 16,777,216 images with 1 or 3 channels";
            Err(context.structure(found, expected, "check the images"))
        }
        Values::Features(features)
            if !fits(features.len()) || !matches!(shape, [1, 1, 1..=MAX_WIDTH]) =>
        {
            let held = features.len();
            let found = format!("{held} numbers for {count} examples of shape {shape:?}");
            let expected =
                "1 to 4,096 numbers, shape [1, 1, n], for each of 1 to 16,777,216 examples";
            Err(context.structure(found, expected, "check the features"))
        }
        Values::Features(features) => {
            let mut features = features.iter().enumerate();
            match features.find(|(_, feature)| !feature.is_finite()) {
                Some((index, &feature)) => {
                    let index = [index / channels, index % channels];
                    Err(out_of_range(context, index, feature.into()))
                }
                None => Ok(()),
            }
        }
        Values::Pixels(_) | Values::Stored(_) => Ok(()),
    }
}

/// Contents of a new file, written block by block.
#[derive(Debug, Clone, Copy)]
pub struct FileContents<'a> {
    /// The part; it selects the names of the HDF5 objects.
    pub split: SplitKind,
    /// Number of examples.
    pub count: usize,
    /// Height, width and channels of an image; 1, 1 and the number of features otherwise.
    pub shape: [usize; 3],
    /// Whether the examples are images, and not feature vectors.
    pub are_images: bool,
    /// Class names, in the order of the labels.
    pub classes: &'a [String],
    /// How the images were resized, if it is known.
    pub fit: Option<Fit>,
    /// Whether the examples are synthetic.
    pub synthetic: bool,
}

/// Number of bytes of examples requested at once.
const BLOCK: usize = 4 << 20;
/// Minimum number of examples requested at once, so that threads can share the work.
const MIN_EXAMPLES: usize = 4;

impl FileContents<'_> {
    /// Writes a file like [`write()`](crate::write()). `next` returns the examples of a range, in memory,
    /// with labels below the number of classes; they are not checked. Fails if the sizes or names are
    /// invalid, `next` fails, or the file cannot be written.
    pub fn write<E: From<Hdf5Error>>(
        &self,
        path: &Path,
        next: impl FnMut(Range<usize>) -> Result<Examples, E>,
    ) -> Result<(), E> {
        self.check(path)?;
        // Beside the file, so that moving it does not cross file systems.
        let name = path.file_name().unwrap_or_default().display().to_string();
        let partial = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        let written = self.write_partial(&partial, path, next);
        if written.is_err() {
            // A leftover is overwritten the next time.
            let _ = fs::remove_file(&partial);
        }
        written
    }

    fn write_partial<E: From<Hdf5Error>>(
        &self,
        partial: &Path,
        path: &Path,
        mut next: impl FnMut(Range<usize>) -> Result<Examples, E>,
    ) -> Result<(), E> {
        let failed = |name: &str, error: &dyn Display| ErrorContext::new(path, name).write(error);
        let file_failed = |error: io::Error| failed("", &error);
        // The error of the system is clearer than that of libhdf5.
        File::create(partial).map_err(file_failed)?;
        // libhdf5 2 would choose a newer format than 1.10, and other bytes.
        let mut options = hdf5::File::with_options();
        options.with_fapl(|access| access.sec2().libver_earliest());
        let file = options.create(partial).map_err(|error| failed("", &error))?;

        let (examples, labels) = (naming::examples(self.split), naming::labels(self.split));
        let set = self.create(&file, examples).map_err(|error| failed(examples, &error))?;
        let mut indices: Vec<i64> = Vec::with_capacity(self.count);
        let most = (BLOCK / self.row().max(1)).max(MIN_EXAMPLES);
        for start in (0..self.count).step_by(most) {
            let items = start..self.count.min(start + most);
            let block = next(items.clone())?;
            indices.extend(block.labels.iter().copied().map(i64::from));
            self.put(&set, block, items).map_err(|error| failed(examples, &error))?;
        }
        drop(set);
        write_numbers(&file, labels, &indices).map_err(|error| failed(labels, &error))?;
        write_classes(&file, self.classes).map_err(|error| failed(CLASS_LIST, &error))?;
        let fit = FITS.iter().find(|(fit, _)| self.fit == Some(*fit)).map(|(_, mark)| *mark);
        for mark in self.synthetic.then_some(SYNTHETIC).into_iter().chain(fit) {
            write_numbers(&file, mark, &[1_u8]).map_err(|error| failed(mark, &error))?;
        }
        file.close().map_err(|error| failed("", &error))?;

        let synced = OpenOptions::new().write(true).open(partial).and_then(|file| file.sync_all());
        synced.and_then(|()| fs::rename(partial, path)).map_err(file_failed)?;
        // The new name is durable once its directory is; not every file system supports that.
        let _ = durable_fs::sync_parent(path);
        Ok(())
    }

    fn check(&self, path: &Path) -> Result<(), Hdf5Error> {
        check_classes(path, self.classes)?;
        let bytes = self.count.checked_mul(self.row());
        let fits = (1..=MAX_EXAMPLES).contains(&self.count)
            && bytes.is_some_and(|bytes| (1..=storage::MAX_BYTES).contains(&bytes));
        if fits {
            return Ok(());
        }
        let found = format!("{} examples of shape {:?}", self.count, self.shape);
        let expected = "1 to 16,777,216 examples, at most 1 TiB";
        let context = ErrorContext::new(path, naming::examples(self.split));
        Err(context.structure(found, expected, "use fewer examples"))
    }

    /// Number of bytes of an example.
    fn row(&self) -> usize {
        let size = if self.are_images { size_of::<u8>() } else { size_of::<f64>() };
        self.shape.iter().product::<usize>() * size
    }

    fn create(&self, file: &Group, name: &str) -> hdf5::Result<Dataset> {
        let ([height, width, channels], count) = (self.shape, self.count);
        if self.are_images {
            create(file, name, &[count, height, width, channels], u8::type_descriptor())
        } else {
            create(file, name, &[count, channels], f64::type_descriptor())
        }
    }

    fn put(&self, set: &Dataset, block: Examples, items: Range<usize>) -> hdf5::Result<()> {
        let ([height, width, channels], count) = (self.shape, items.len());
        match block.values {
            Values::Pixels(pixels) => {
                let pixels = Array4::from_shape_vec([count, height, width, channels], pixels);
                let pixels = pixels.map_err(|error| error.to_string())?;
                set.write_slice(&pixels, (items, .., .., ..))
            }
            Values::Features(features) => {
                let features = features.into_iter().map(f64::from).collect();
                let features = Array2::from_shape_vec([count, channels], features);
                set.write_slice(&features.map_err(|error| error.to_string())?, (items, ..))
            }
            Values::Stored(_) => Err("the examples are in a file".into()),
        }
    }
}

fn write_numbers<T: H5Type>(file: &Group, name: &str, numbers: &[T]) -> hdf5::Result<()> {
    create(file, name, &[numbers.len()], T::type_descriptor())?.write_raw(numbers)
}

fn write_classes(file: &Group, classes: &[String]) -> hdf5::Result<()> {
    // Names that are the decimal form of an integer.
    let integer =
        |name: &String| name.parse().ok().filter(|number: &i64| number.to_string() == *name);
    if let Some(numbers) = classes.iter().map(integer).collect::<Option<Vec<_>>>() {
        return write_numbers(file, CLASS_LIST, &numbers);
    }
    let longest = classes.iter().map(String::len).max().unwrap_or(1);
    let names = classes.iter().map(|name| name.parse::<FixedUnicode<MAX_TEXT>>());
    let names: Vec<_> = names.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    create(file, CLASS_LIST, &[names.len()], TypeDescriptor::FixedUnicode(longest))?
        .write_raw(&names)
}

/// Creates a dataset without timestamps, so that equal data give equal files.
fn create(
    file: &Group,
    name: &str,
    shape: &[usize],
    dtype: TypeDescriptor,
) -> hdf5::Result<Dataset> {
    file.new_dataset_builder().obj_track_times(false).empty_as(dtype).shape(shape).create(name)
}
