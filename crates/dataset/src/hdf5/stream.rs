//! Files written some examples at a time.

use std::ops::Range;
use std::path::Path;

use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Group, H5Type};
use ndarray::{Array2, Array4};

use super::error::Site;
use super::source::{CLASSES, MAX_EXAMPLES};
use super::write::{create, put_in_place};
use super::{Hdf5Error, Part, classes, storage};
use crate::examples::{Examples, Values};

/// What a file is to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contents<'a> {
    pub part: Part,
    /// The number of examples.
    pub count: usize,
    /// Height, width and channels, or 1, 1 and the number of features.
    pub shape: [usize; 3],
    pub are_images: bool,
    pub classes: &'a [String],
    /// Whether they are drawn in place of real data.
    pub stand_in: bool,
}

/// The bytes of examples that are asked for at once.
const BLOCK: usize = 4 << 20;
/// So many are asked for at once even if they are larger, so that threads share in making them.
const LEAST: usize = 4;

impl Contents<'_> {
    /// As [`super::write()`], of examples in memory that `next` gives some at a time, of labels below
    /// the number of classes. Neither of them is checked again.
    pub(crate) fn write<E: From<Hdf5Error>>(
        &self,
        path: &Path,
        mut next: impl FnMut(Range<usize>) -> Result<Examples, E>,
    ) -> Result<(), E> {
        let (part, classes, count) = (self.part, self.classes, self.count);
        self.check(path)?;
        put_in_place(path, part, classes, self.stand_in, |file, site| {
            let set = self.create(file).map_err(|error| site.write(error))?;
            let mut labels = Vec::with_capacity(count);
            let most = (BLOCK / self.row().max(1)).max(LEAST);
            for start in (0..count).step_by(most) {
                let items = start..count.min(start + most);
                let block = next(items.clone())?;
                labels.extend_from_slice(&block.labels);
                self.put(&set, block, items).map_err(|error| site.write(error))?;
            }
            Ok(labels)
        })
    }

    fn check(&self, path: &Path) -> Result<(), Hdf5Error> {
        let site = Site::new(path, CLASSES);
        classes::check_count(&site, self.classes.len())?;
        classes::check(&site, self.classes)?;
        let bytes = self.count.checked_mul(self.row());
        let fits = (1..=MAX_EXAMPLES).contains(&self.count)
            && bytes.is_some_and(|bytes| (1..=storage::MAX_BYTES).contains(&bytes));
        if fits {
            return Ok(());
        }
        let found = format!("{} examples of shape {:?}", self.count, self.shape);
        let site = Site::new(path, self.part.examples());
        Err(site.structure(found, "1 to 16,777,216 examples, at most 1 TiB", "take fewer of them"))
    }

    /// The bytes of an example.
    fn row(&self) -> usize {
        let size = if self.are_images { size_of::<u8>() } else { size_of::<f64>() };
        self.shape.iter().product::<usize>() * size
    }

    fn create(&self, file: &Group) -> hdf5::Result<Dataset> {
        let (name, [height, width, channels]) = (self.part.examples(), self.shape);
        let (shape, element): (&[usize], TypeDescriptor) = match self.are_images {
            true => (&[self.count, height, width, channels], u8::type_descriptor()),
            false => (&[self.count, channels], f64::type_descriptor()),
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
