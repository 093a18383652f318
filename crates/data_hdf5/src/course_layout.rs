//! Checked access to the objects of the layout of the courses.

use data::{Fit, SplitKind};

use crate::classes;
use crate::context::ErrorContext;
use crate::element::Element;
use crate::error::Hdf5Error;
use crate::features::MAX_WIDTH;
use crate::names::{self, CLASSES, SYNTHETIC};
use crate::object::Object;
use crate::open_file::OpenFile;

/// Maximum number of examples; ImageNet-21k has 14 million. Each label takes 4 bytes of memory.
pub const MAX_EXAMPLES: usize = 1 << 24;

const REBUILD: &str = "rewrite the file in the layout that `data/README.md` describes";

impl OpenFile<'_> {
    /// Opens `*_set_x`: u8 `[n, height, width, channels]` or floats `[n, width]`. Returns it with `n`
    /// and the shape of an example.
    pub fn examples(&self, split: SplitKind) -> Result<(Object<'_>, usize, [usize; 3]), Hdf5Error> {
        let name = names::examples(split);
        if !self.has(name)? {
            return Err(self.missing_examples(split)?);
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
                Err(object.context.structure(format!("{element} {shape:?}"), EXAMPLES, remedy))
            }
        }
    }

    /// Opens `*_set_y`: an integer or a string of digits for each of `count` examples.
    pub fn labels(&self, split: SplitKind, count: usize) -> Result<Object<'_>, Hdf5Error> {
        let labels = self.required(names::labels(split))?;
        let length = labels.vector_length()?;
        if length != count {
            let found = format!("{length} labels");
            let expected =
                format!("{count}, one for each example of `/{}`", names::examples(split));
            return Err(labels.context.structure(found, expected, REBUILD));
        }
        labels.require_integers_or_strings()?;
        Ok(labels)
    }

    /// Opens `list_classes`; `None` if it is missing and the labels are integers.
    pub fn classes(&self, labels: &Object) -> Result<Option<Object<'_>>, Hdf5Error> {
        if !self.has(CLASSES)? && matches!(labels.element, Element::Integer { .. }) {
            return Ok(None);
        }
        let names = self.required(CLASSES)?;
        classes::check_count(&names.context, names.vector_length()?)?;
        names.require_integers_or_strings()?;
        Ok(Some(names))
    }

    /// Returns whether the file is marked as synthetic.
    pub fn synthetic(&self) -> Result<bool, Hdf5Error> {
        self.has(SYNTHETIC)
    }

    /// Returns how the images were resized, if the file says so.
    pub fn fit(&self) -> Result<Option<Fit>, Hdf5Error> {
        for fit in [Fit::Crop, Fit::Pad] {
            if names::fit(fit).map_or(Ok(false), |name| self.has(name))? {
                return Ok(Some(fit));
            }
        }
        Ok(None)
    }

    fn required(&self, name: &str) -> Result<Object<'_>, Hdf5Error> {
        if self.has(name)? { Object::open(self, name) } else { Err(self.missing(name)?) }
    }

    fn missing_examples(&self, split: SplitKind) -> Result<Hdf5Error, Hdf5Error> {
        let found = names::other_examples(split);
        if !self.has(found)? {
            return self.missing(names::examples(split));
        }
        let (file, object) = ErrorContext::new(self.path, names::examples(split)).parts();
        Ok(Hdf5Error::WrongPart { file, object, found: format!("/{found}") })
    }
}

const EXAMPLES: &str = "images, u8 [n, height, width, channels] with 1 or 3 channels, or \
                        features, float32 or float64 [n, width] with a width from 1 to 4,096, and \
                        n at most 16,777,216";
const FLOAT_PIXELS: &str = "store images as u8 from 0 to 255, features as one row for each example";
const INTEGER_FEATURES: &str =
    "store features as float64, images with their height, width and channels";
