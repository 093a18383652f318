//! An open file, and the objects of the course's layout in it.

use std::path::Path;

use hdf5::{File, IndexType, IterationOrder};

use super::element::Element;
use super::error::{self, Site};
use super::features::MAX_WIDTH;
use super::object::Object;
use super::{Hdf5Error, Part, classes, ffi, signature};

/// Labels take 4 bytes each in memory; ImageNet-21k has 14 million images.
pub(super) const MAX_EXAMPLES: usize = 1 << 24;

const REBUILD: &str = "rewrite the file in the layout that `data/README.md` describes";

/// An HDF5 file, open for reading.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) file: File,
    /// The length of the file in bytes.
    pub(super) length: u64,
}

impl<'a> Source<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, Hdf5Error> {
        let length = signature::check(path)?;
        if path.to_str().is_none() {
            let (file, found) = (path.to_path_buf(), "a name that is not UTF-8".into());
            return Err(Hdf5Error::Unreadable { file, found, remedy: "rename the file".into() });
        }
        ffi::disable_plugins();
        // Named, so that no `HDF5_DRIVER` of the environment is asked.
        let file = File::with_options().with_fapl(|access| access.sec2()).open(path);
        let file = file.map_err(|error| Site::new(path, "").damaged(error))?;
        Ok(Self { path, file, length })
    }

    /// `*_set_x`: u8 `[n, height, width, channels]` or floats `[n, width]`; `n`, and the shape of
    /// one example.
    pub(super) fn examples(
        &self,
        part: Part,
    ) -> Result<(Object<'_>, usize, [usize; 3]), Hdf5Error> {
        let name = part.examples();
        if !self.has(name)? {
            return Err(self.missing_examples(part)?);
        }
        let object = Object::open(self, name)?;
        match (object.element, &object.shape[..]) {
            (Element::BYTE, &[count @ ..=MAX_EXAMPLES, height, width, channels @ (1 | 3)]) => {
                Ok((object, count, [height, width, channels]))
            }
            (Element::Float { .. }, &[count @ ..=MAX_EXAMPLES, width @ 1..=MAX_WIDTH]) => {
                Ok((object, count, [1, 1, width]))
            }
            (element, shape) => {
                let remedy = match (element, shape.len()) {
                    (Element::Float { .. }, 3..) => FLOAT_PIXELS,
                    (Element::Integer { .. }, 2) => INTEGER_FEATURES,
                    _ => REBUILD,
                };
                Err(object.site.structure(format!("{element} {shape:?}"), EXAMPLES, remedy))
            }
        }
    }

    /// `*_set_y`: one integer or string of digits for each of `count` examples.
    pub(super) fn labels(&self, part: Part, count: usize) -> Result<Object<'_>, Hdf5Error> {
        let labels = self.required(part.labels())?;
        let length = labels.vector_length()?;
        if length != count {
            let found = format!("{length} labels");
            let expected = format!("{count}, one for each example of `/{}`", part.examples());
            return Err(labels.site.structure(found, expected, REBUILD));
        }
        labels.require_integers_or_strings()?;
        Ok(labels)
    }

    /// `list_classes`; none when it is absent and the labels are integers.
    pub(super) fn classes(&self, labels: &Object) -> Result<Option<Object<'_>>, Hdf5Error> {
        if !self.has(CLASSES)? && matches!(labels.element, Element::Integer { .. }) {
            return Ok(None);
        }
        let names = self.required(CLASSES)?;
        classes::check_count(&names.site, names.vector_length()?)?;
        names.require_integers_or_strings()?;
        Ok(Some(names))
    }

    /// Whether the file is marked as drawn by the trainer.
    pub(super) fn stand_in(&self) -> Result<bool, Hdf5Error> {
        self.has(STAND_IN)
    }

    fn required(&self, name: &str) -> Result<Object<'_>, Hdf5Error> {
        match self.has(name)? {
            true => Object::open(self, name),
            false => Err(self.missing(name)?),
        }
    }

    fn missing_examples(&self, part: Part) -> Result<Hdf5Error, Hdf5Error> {
        let found = part.other().examples();
        if !self.has(found)? {
            return self.missing(part.examples());
        }
        let (file, object) = Site::new(self.path, part.examples()).parts();
        Ok(Hdf5Error::WrongPart { file, object, found: format!("/{found}") })
    }

    fn missing(&self, name: &str) -> Result<Hdf5Error, Hdf5Error> {
        let mut names = Vec::new();
        let visit = self.file.find_link(IndexType::Name, IterationOrder::Native, |name, _| {
            names.push(format!("`/{}`", error::shortened(name)));
            Ok((names.len() == 8).then_some(()))
        });
        let (file, object) = Site::new(self.path, name).parts();
        visit.map_err(|error| Site::new(self.path, "").damaged(error))?;
        let found = if names.is_empty() { "no object at all".into() } else { names.join(", ") };
        Ok(Hdf5Error::Missing { file, object, found, remedy: REBUILD.into() })
    }

    fn has(&self, name: &str) -> Result<bool, Hdf5Error> {
        Ok(super::object::link(self, name)?.is_some())
    }
}

/// What a drawn file holds beside its data, and no other file does.
pub(super) const STAND_IN: &str = "drawn_by_trainer";

/// The data set with the names of the classes, shared by both parts.
pub(super) const CLASSES: &str = "list_classes";

const EXAMPLES: &str = "images, u8 [n, height, width, channels] with 1 or 3 channels, or \
                        features, float32 or float64 [n, width] with a width from 1 to 4,096, and \
                        n at most 16,777,216";
const FLOAT_PIXELS: &str = "store images as u8 from 0 to 255, features as one row for each example";
const INTEGER_FEATURES: &str =
    "store features as float64, images with their height, width and channels";
