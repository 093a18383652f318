//! HDF5 files in the layout of Andrew Ng's courses: `train_set_x`, `train_set_y`, `list_classes`,
//! and the same with `test_set_`.
//!
//! libhdf5 follows links out of the file, decompresses without bound and trusts what a file
//! declares. It is therefore asked for the structure alone; the bytes of labels, names, pixels and
//! features are read, bounded and decoded here, once every object of the part has passed its checks.
//! Pixels and features that lie in one piece a row may stay in the file ([`Stored`]).

mod chunks;
mod classes;
mod demand;
mod element;
mod error;
mod features;
mod ffi;
mod heap;
mod labels;
mod object;
mod raw;
mod reader;
mod signature;
mod source;
mod storage;
mod stored;
mod stream;
#[cfg(test)]
mod tests;
mod values;
mod write;

use std::path::Path;

pub use error::Hdf5Error;
pub use ffi::neutralise_environment;
pub use reader::isolate;
pub use stored::Stored;
pub(crate) use stream::Contents;
pub use write::{write, write_stand_in};

use crate::examples::Examples;
use crate::outline::Outline;
use demand::Demand;
use element::Element;
use error::Site;
use object::Object;
use source::Source;
use stored::{Form, Layout, Place, Steady, Table};

/// The examples of one part of an HDF5 file, and the names of their classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Hdf5File {
    /// The examples and their labels, in the order of the file.
    pub examples: Examples,
    /// The name of every class; a label is an index into them.
    pub classes: Vec<String>,
    /// Whether the examples are drawn rather than real.
    pub stand_in: bool,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// Where the values of examples are while they are used. They are the same in either place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    /// In memory, if they take no more than a quarter of what is free; else in their file, unless
    /// their rows cannot be read one by one there.
    #[default]
    Automatic,
    /// In memory.
    InMemory,
    /// In their file.
    InFile,
}

/// A file whose structure has been checked, and where its values lie.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Described {
    shape: [usize; 3],
    labels: Vec<u32>,
    classes: Vec<String>,
    stand_in: bool,
    place: Place,
}

/// Which data sets of a file to take: one file may hold both parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `train_set_x` and `train_set_y`.
    Train,
    /// `test_set_x` and `test_set_y`.
    Test,
}

impl Part {
    fn examples(self) -> &'static str {
        match self {
            Self::Train => "train_set_x",
            Self::Test => "test_set_x",
        }
    }

    fn labels(self) -> &'static str {
        match self {
            Self::Train => "train_set_y",
            Self::Test => "test_set_y",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Train => Self::Test,
            Self::Test => Self::Train,
        }
    }
}

/// As [`open`], into memory.
///
/// # Errors
///
/// As [`open`].
pub fn read(path: &Path, part: Part) -> Result<Hdf5File, Hdf5Error> {
    open(path, part, Keep::InMemory)
}

/// Opens one part of an HDF5 file. Its structure is read in a process of its own if the program
/// called [`isolate`].
///
/// Images are u8 `[n, height, width, channels]` with 1 or 3 channels. Features are float32 or
/// float64 `[n, width]` with a width from 1 to 4096, all within the range of `f32`. Labels are
/// integers or strings of digits, one an example: `(n,)`, `(1, n)` or `(n, 1)`. Class names are
/// integers or strings; without `list_classes`, integer labels make the classes `"0"` to their
/// largest.
///
/// # Errors
///
/// [`Hdf5Error`] when the file is not HDF5, lacks an object, stores one in a way that is not
/// accepted (links, other files, other filters, more than its length or the free memory can hold),
/// is damaged, or holds features, labels or names that do not fit.
pub fn open(path: &Path, part: Part, keep: Keep) -> Result<Hdf5File, Hdf5Error> {
    described(path, part)?.load(path, part, keep)
}

/// What one part of an HDF5 file holds, without its pixels or features. As [`open`] in all else.
///
/// # Errors
///
/// As [`open`], but for values that do not fit.
pub fn outline(path: &Path, part: Part) -> Result<Outline, Hdf5Error> {
    let Described { shape, classes, stand_in, place, .. } = described(path, part)?;
    Ok(Outline { shape, are_images: place.form == Form::Pixel, classes, stand_in })
}

/// What a file holds, found out by a process of its own if the program called [`isolate`].
fn described(path: &Path, part: Part) -> Result<Described, Hdf5Error> {
    match reader::program() {
        Some(program) => reader::read(program, path, part),
        None => describe(path, part, |_| Ok(())),
    }
}

/// What a file holds, found out in this process. `prepare` is told what the data takes once the
/// whole structure is checked, and before any of the data is read.
fn describe(
    path: &Path,
    part: Part,
    prepare: impl FnOnce(&Demand) -> Result<(), Hdf5Error>,
) -> Result<Described, Hdf5Error> {
    let source = Source::open(path)?;
    let (object, count, shape) = source.examples(part)?;
    let labels = source.labels(part, count)?;
    let names = source.classes(&labels)?;
    let lists: Vec<_> = [Some(&labels), names.as_ref()].into_iter().flatten().collect();
    let demand = Demand::of(&object, &lists);
    demand.check(&object)?;
    prepare(&demand)?;

    let (labels, classes) = named(&labels, names.as_ref())?;
    let form = match object.element {
        Element::Float { size, big_endian } => Form::Float { size, big_endian },
        _ => Form::Pixel,
    };
    let place = Place { form, layout: object.layout()? };
    Ok(Described { shape, labels, classes, stand_in: source.stand_in()?, place })
}

impl Described {
    /// The examples, read once from the start of the file to its end.
    fn load(self, path: &Path, part: Part, keep: Keep) -> Result<Hdf5File, Hdf5Error> {
        let Self { shape, labels, classes, stand_in, place: Place { form, layout } } = self;
        let site = Site::new(path, part.examples());
        let (count, width, channels) = (labels.len(), shape.iter().product(), shape[2]);
        let file = Steady::open(path)?;
        let segments = layout.segments(count, width * form.size(), file.length());
        let segments = segments.ok_or_else(|| site.damaged("it ends after its file"))?;
        let object = site.object.clone();
        let table = Table { file, object, form, width, channels, count, segments };
        let (values, sha256) = match layout {
            Layout::Packed(_) if keep == Keep::InFile => {
                return Err(site.structure("packed", "rows that lie in one piece each", UNPACK));
            }
            Layout::Packed(bytes) => table.unpack(bytes)?,
            _ if table.stays_in_file(keep)? => table.keep_in_file()?,
            _ => table.read()?,
        };
        Ok(Hdf5File { examples: Examples { shape, values, labels }, classes, stand_in, sha256 })
    }
}

const UNPACK: &str = "leave `dataset.hdf5.in_memory` out, or repack it: \
                      `h5repack -f NONE -l CONTI old.h5 new.h5`";

/// The labels as indices, and the names of the classes.
fn named(labels: &Object, names: Option<&Object>) -> Result<(Vec<u32>, Vec<String>), Hdf5Error> {
    let numbers = labels::numbers(labels)?;
    let classes = match names {
        Some(names) => classes::read(names)?,
        None => classes::from_labels(&labels.site, &numbers)?,
    };
    Ok((labels::indices(&labels.site, &numbers, classes.len())?, classes))
}
