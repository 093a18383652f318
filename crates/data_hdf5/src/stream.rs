//! Files written block by block.

use std::ops::Range;
use std::path::Path;

use data::{Examples, Fit, SplitKind, Values};
use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Group, H5Type};
use ndarray::{Array2, Array4};

use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::names::{self, CLASSES, SYNTHETIC};
use crate::part_objects::MAX_EXAMPLES;
use crate::write::{create, put_in_place};
use crate::{classes, storage};

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
    /// with labels below the number of classes; they are not checked.
    ///
    /// # Errors
    ///
    /// If the sizes or names are invalid, `next` fails, or the file cannot be written.
    pub fn write<E: From<Hdf5Error>>(
        &self,
        path: &Path,
        mut next: impl FnMut(Range<usize>) -> Result<Examples, E>,
    ) -> Result<(), E> {
        let (split, classes, count) = (self.split, self.classes, self.count);
        let marks = [self.synthetic.then_some(SYNTHETIC), self.fit.and_then(names::fit)];
        self.check(path)?;
        put_in_place(path, split, classes, &marks, |file, context| {
            let set = self.create(file).map_err(|error| context.write(error))?;
            let mut labels = Vec::with_capacity(count);
            let most = (BLOCK / self.row().max(1)).max(MIN_EXAMPLES);
            for start in (0..count).step_by(most) {
                let items = start..count.min(start + most);
                let block = next(items.clone())?;
                labels.extend_from_slice(&block.labels);
                self.put(&set, block, items).map_err(|error| context.write(error))?;
            }
            Ok(labels)
        })
    }

    fn check(&self, path: &Path) -> Result<(), Hdf5Error> {
        let context = ErrorContext::new(path, CLASSES);
        classes::check_count(&context, self.classes.len(), classes::LEAST)?;
        classes::check(&context, self.classes)?;
        let bytes = self.count.checked_mul(self.row());
        let fits = (1..=MAX_EXAMPLES).contains(&self.count)
            && bytes.is_some_and(|bytes| (1..=storage::MAX_BYTES).contains(&bytes));
        if fits {
            return Ok(());
        }
        let found = format!("{} examples of shape {:?}", self.count, self.shape);
        let context = ErrorContext::new(path, names::examples(self.split));
        Err(context.structure(
            found,
            "1 to 16,777,216 examples, at most 1 TiB",
            "use fewer examples",
        ))
    }

    /// Number of bytes of an example.
    fn row(&self) -> usize {
        let size = if self.are_images { size_of::<u8>() } else { size_of::<f64>() };
        self.shape.iter().product::<usize>() * size
    }

    fn create(&self, file: &Group) -> hdf5::Result<Dataset> {
        let (name, [height, width, channels]) = (names::examples(self.split), self.shape);
        let (shape, element): (&[usize], TypeDescriptor) = if self.are_images {
            (&[self.count, height, width, channels], u8::type_descriptor())
        } else {
            (&[self.count, channels], f64::type_descriptor())
        };
        create(file, name, shape, element)
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
