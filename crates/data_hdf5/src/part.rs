use std::path::Path;

use data::{DatasetInfo, Examples, Fit, SplitKind, StoredRows, Values};

use crate::classes::ClassNames;
use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::number::Number;
use crate::object_keys::ObjectKeys;
use crate::reader::{self, Answer, Request};
use crate::residency::Residency;
use crate::rows::{Hdf5Rows, Layout, PixelScale, RowsLocation, Table, UnchangedFile, ValueRange};
use crate::structure::{self, Structure};
use crate::{mend, names};

/// Examples of one part of an HDF5 file.
#[derive(Debug, Clone, PartialEq)]
pub struct Hdf5File {
    /// Examples with their labels, in the order of the file.
    pub examples: Examples,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Origin of the class names.
    pub class_names: ClassNames,
    /// Whether the examples are synthetic.
    pub synthetic: bool,
    /// How its images were resized, if the file says so.
    pub fit: Option<Fit>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What was inferred about the file; `None` if it has the layout of the courses.
    pub note: Option<String>,
}

/// One part of an HDF5 file, open, with its structure checked and its values not read.
#[derive(Debug)]
pub struct Hdf5Part {
    structure: Structure,
    table: Table,
    split: SplitKind,
    /// Range of all pixels, if it determines how they are scaled.
    range: Option<ValueRange>,
}

impl ObjectKeys {
    /// Opens one part of a file. Pixels that are not bytes are read once for their range.
    ///
    /// # Errors
    ///
    /// See [`open`](crate::open).
    pub fn open(&self, path: &Path, split: SplitKind) -> Result<Hdf5Part, Hdf5Error> {
        let structure = self.structure(path, split)?;
        let table = table(path, &structure)?;
        let mut part = Hdf5Part { structure, table, split, range: None };
        if part.table.encoding.needs_range() {
            let range = match &part.structure.location.layout {
                Layout::Packed(bytes) => part.table.range_of(bytes)?,
                Layout::Contiguous(_) | Layout::Chunked { .. } => part.table.range()?,
            };
            part.table.scale = range.scale(&part.table.context(), part.table.encoding)?;
            part.range = Some(range);
        }
        Ok(part)
    }

    /// Describes one part of a file without reading its pixels or features.
    ///
    /// # Errors
    ///
    /// See [`open`](crate::open); pixels and features are not checked.
    pub fn info(&self, path: &Path, split: SplitKind) -> Result<DatasetInfo, Hdf5Error> {
        let Structure { shape, classes, synthetic, location, labels, .. } =
            self.structure(path, split)?;
        let are_images = location.encoding.are_pixels();
        Ok(DatasetInfo { shape, are_images, classes, synthetic, count: labels.len() })
    }

    /// Parts of a file for which it has images or features and labels, by their names; `None` for
    /// objects such as `images` that name no part, and are read as any part that the file lacks.
    ///
    /// # Errors
    ///
    /// If the file is not HDF5 or damaged.
    pub fn parts(&self, path: &Path) -> Result<Vec<Option<SplitKind>>, Hdf5Error> {
        match reader::program() {
            Some(program) => match reader::read(program, &Request::new(None, self, path))? {
                Answer::Parts(parts) => Ok(parts),
                Answer::Structure(_) => Err(other_answer(path)),
            },
            None => structure::parts(path, self),
        }
    }

    /// Reads the structure of a part, in a subprocess if the program called
    /// [`isolate`](crate::isolate).
    fn structure(&self, path: &Path, split: SplitKind) -> Result<Structure, Hdf5Error> {
        match reader::program() {
            Some(program) => match reader::read(program, &Request::new(Some(split), self, path))? {
                Answer::Structure(structure) => Ok(*structure),
                Answer::Parts(_) => Err(other_answer(path)),
            },
            None => structure::read(path, split, self, |_| Ok(())),
        }
    }
}

/// The values of a part, with the scale of bytes.
fn table(path: &Path, structure: &Structure) -> Result<Table, Hdf5Error> {
    let Structure { objects: [object, ..], shape, labels, location, .. } = structure;
    let RowsLocation { encoding, layout } = location;
    let (file, count) = (UnchangedFile::open(path)?, labels.len());
    let row = shape.iter().product::<usize>() * encoding.number.size();
    let segments = layout.segments(count, row, file.length()).ok_or_else(|| {
        let context = ErrorContext { file: path, object: object.clone() };
        context.damaged("it exceeds the end of the file")
    })?;
    let (encoding, shape, object) = (*encoding, *shape, object.clone());
    Ok(Table { file, object, encoding, shape, scale: PixelScale::BYTE, count, segments })
}

fn other_answer(path: &Path) -> Hdf5Error {
    ErrorContext::new(path, "").damaged("another question was answered")
}

impl Hdf5Part {
    /// Gives the same scale to the parts of one data set: the largest one, since a part may not use all of
    /// it.
    ///
    /// # Errors
    ///
    /// [`Hdf5Error::Content`] if one part has floats from 0 to 1 and another from 0 to 255.
    pub fn share_scale(parts: &mut [&mut Self]) -> Result<(), Hdf5Error> {
        let scaled = parts.iter().filter(|part| part.range.is_some());
        let scales: Vec<_> = scaled.map(|part| (part.number(), part.table.scale)).collect();
        for part in parts.iter_mut().filter(|part| part.range.is_some()) {
            let number = part.number();
            let is_alike =
                |other: Number| other == number || (other.is_float() && number.is_float());
            let alike = scales.iter().filter(|(other, _)| is_alike(*other));
            let scale = alike.map(|(_, scale)| *scale).max().unwrap_or(part.table.scale);
            if number.is_float() && scale != part.table.scale {
                return Err(part.other_scale(scale));
            }
            part.table.scale = scale;
        }
        Ok(())
    }

    /// Reads the values, once from the start of the file to its end, and hashes it.
    ///
    /// # Errors
    ///
    /// See [`open`](crate::open).
    pub fn read(self, residency: Residency) -> Result<Hdf5File, Hdf5Error> {
        let note = self.note();
        let Self { structure, table, .. } = self;
        let Structure { shape, labels, classes, class_names, synthetic, fit, location, .. } =
            structure;
        let (values, sha256) = values(table, location.layout, residency)?;
        let examples = Examples::new(shape, values, labels);
        Ok(Hdf5File { examples, classes, class_names, synthetic, fit, sha256, note })
    }

    fn number(&self) -> Number {
        self.table.encoding.number
    }

    /// Error for floats whose scale is not that of another part.
    fn other_scale(&self, other: PixelScale) -> Hdf5Error {
        let context = self.table.context();
        let found = format!("pixels from 0 to {}", self.table.scale.white());
        let expected = format!("0 to {}, as in another part of the data set", other.white());
        let factor = other.white() / self.table.scale.white();
        context.content(
            found,
            expected,
            mend::command(&context, &format!("np.float32(x) * {factor}")),
        )
    }

    /// What was inferred about the part.
    fn note(&self) -> Option<String> {
        let Structure { objects: [images, labels, list], notes, classes, .. } = &self.structure;
        let [axes, form] = notes;
        let values = self.range.map(|range| self.values_note(range)).unwrap_or_default();
        let are_named = self.structure.class_names == ClassNames::Labels;
        let course = [names::examples(self.split), names::labels(self.split), names::CLASSES];
        let is_course = [images, labels, list]
            .into_iter()
            .zip(course)
            .all(|(name, course)| name.is_empty() || *name == format!("/{course}"));
        if is_course && !are_named && [&values, axes, form].iter().all(|note| note.is_empty()) {
            return None;
        }
        let what = if self.table.encoding.are_pixels() { "images" } else { "features" };
        let (images, labels) = (described(images, &[&values, axes]), described(labels, &[form]));
        let classes = match list.as_str() {
            _ if are_named => format!("; the classes are the {} names", classes.len()),
            "" => String::new(),
            list => format!("; classes: `{list}`"),
        };
        Some(format!("{what}: {images}; labels: {labels}{classes}"))
    }

    fn values_note(&self, range: ValueRange) -> String {
        let number = self.number();
        match self.table.scale.white() {
            white @ 256.. => {
                format!("{number} of {} bits, scaled to 0 to 255", u32::from(white).count_ones())
            }
            255 if range.whole => format!("{number} from 0 to 255"),
            255 => format!("{number} from 0 to 255, rounded"),
            white => format!("{number} from 0 to {white}, scaled to 0 to 255"),
        }
    }
}

/// The name of an object, and what was inferred about it.
fn described(object: &str, notes: &[&String]) -> String {
    let notes: Vec<_> =
        notes.iter().map(|note| note.as_str()).filter(|note| !note.is_empty()).collect();
    if notes.is_empty() {
        format!("`{object}`")
    } else {
        format!("`{object}` ({})", notes.join(", "))
    }
}

fn values(
    table: Table,
    layout: Layout,
    residency: Residency,
) -> Result<(Values, String), Hdf5Error> {
    let (rows, sha256) = match layout {
        Layout::Packed(_) if residency == Residency::InFile => {
            let context = table.context();
            let remedy = format!("leave `dataset.hdf5.in_memory` out, or {}", mend::copy(&context));
            return Err(context.structure("not stored row by row", "contiguous rows", remedy));
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
