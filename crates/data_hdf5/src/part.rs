use std::mem;
use std::path::Path;

use data::{DatasetInfo, Examples, Fit, SplitKind};
use serde::{Deserialize, Serialize};

use crate::classes::ClassNames;
use crate::element::Number;
use crate::error::{ErrorContext, Hdf5Error};
use crate::naming;
use crate::reader::{Answer, Request};
use crate::rows::{Layout, PixelScale, Table, ValueRange};
use crate::structure::Structure;

/// Names of objects in a file, and the order of the axes of its images. What is absent is found.
///
/// Names are paths such as `x_train` or `/train/images`. In those of images and labels, `*` stands for
/// any characters but `/`; of the objects that match, the one that names the part is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectKeys {
    /// Images or features.
    pub images: Option<String>,
    /// Labels.
    pub labels: Option<String>,
    /// Class names.
    pub classes: Option<String>,
    /// Axes of the images.
    pub layout: Option<ImageLayout>,
}

/// Order of the axes of images in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageLayout {
    /// Channels last: `[n, height, width, channels]`.
    Nhwc,
    /// Channels first: `[n, channels, height, width]`.
    Nchw,
}

/// Location of the values of examples while they are in use. It does not change them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Residency {
    /// In memory if they take at most a quarter of the free memory; otherwise in their file, unless
    /// its rows are not contiguous.
    #[default]
    Automatic,
    /// In memory.
    InMemory,
    /// In their file.
    InFile,
}

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
    /// Its layout is in the table.
    structure: Structure,
    table: Table,
    split: SplitKind,
    /// Range of all pixels, if it determines how they are scaled.
    range: Option<ValueRange>,
}

impl ObjectKeys {
    /// Opens one part of a file. Pixels that are not bytes are read once for their range. Fails like
    /// [`open`].
    pub fn open(&self, path: &Path, split: SplitKind) -> Result<Hdf5Part, Hdf5Error> {
        let mut structure = self.structure(path, split)?;
        let layout = mem::replace(&mut structure.layout, Layout::Packed(Vec::new()));
        let Structure { objects: [object, ..], encoding, count, shape, .. } = &structure;
        let mut table = Table::open(path, object, *encoding, (*count, *shape), layout)?;
        let range = encoding.needs_range().then(|| table.range()).transpose()?;
        if let Some(range) = range {
            table.scale = range.scale(&table.context(), encoding.number)?;
        }
        Ok(Hdf5Part { structure, table, split, range })
    }

    /// Describes one part of a file without reading or checking its pixels or features. Fails like
    /// [`open`].
    pub fn info(&self, path: &Path, split: SplitKind) -> Result<DatasetInfo, Hdf5Error> {
        let Structure { shape, classes, synthetic, encoding, count, .. } =
            self.structure(path, split)?;
        Ok(DatasetInfo { shape, are_images: encoding.are_pixels(), classes, synthetic, count })
    }

    /// Parts of a file for which it has images or features and labels, by their names; `None` for
    /// objects such as `images` that name no part, and are read as any part that the file lacks. Fails if
    /// the file is not HDF5 or damaged.
    pub fn parts(&self, path: &Path) -> Result<Vec<Option<SplitKind>>, Hdf5Error> {
        match self.ask(path, None)? {
            Answer::Parts(parts) => Ok(parts),
            Answer::Structure(_) => Err(other_answer(path)),
        }
    }

    fn structure(&self, path: &Path, split: SplitKind) -> Result<Structure, Hdf5Error> {
        match self.ask(path, Some(split))? {
            Answer::Structure(structure) => Ok(*structure),
            Answer::Parts(_) => Err(other_answer(path)),
        }
    }

    fn ask(&self, path: &Path, split: Option<SplitKind>) -> Result<Answer, Hdf5Error> {
        Request { split, keys: self.clone(), path: path.to_path_buf() }.answer()
    }
}

fn other_answer(path: &Path) -> Hdf5Error {
    ErrorContext::new(path, "").damaged("another question was answered")
}

impl Hdf5Part {
    /// Gives the same scale to the parts of one data set: the largest one, since a part may not use all of
    /// it. Fails if one part has floats from 0 to 1 and another from 0 to 255.
    pub fn share_scale(parts: &mut [&mut Self]) -> Result<(), Hdf5Error> {
        let scaled = parts.iter().filter(|part| part.range.is_some());
        let scales: Vec<_> = scaled.map(|part| (part.number(), part.table.scale)).collect();
        for part in parts.iter_mut().filter(|part| part.range.is_some()) {
            let (number, own) = (part.number(), part.table.scale);
            let is_alike =
                |other: Number| other == number || (other.is_float() && number.is_float());
            let alike = scales.iter().filter(|(other, _)| is_alike(*other));
            let scale = alike.map(|(_, scale)| *scale).max().unwrap_or(own);
            if number.is_float() && scale != own {
                let (context, PixelScale(own), PixelScale(other)) =
                    (part.table.context(), own, scale);
                let found = format!("pixels from 0 to {own}");
                let expected = format!("0 to {other}, as in another part of the data set");
                let remedy = context.replace_command(&format!("np.float32(x) * {}", other / own));
                return Err(context.content(found, expected, remedy));
            }
            part.table.scale = scale;
        }
        Ok(())
    }

    /// Reads the values, once from the start of the file to its end, and hashes it. Fails like
    /// [`open`].
    pub fn read(self, residency: Residency) -> Result<Hdf5File, Hdf5Error> {
        let note = self.note();
        let Self { structure, table, .. } = self;
        let Structure { shape, labels, classes, class_names, synthetic, fit, .. } = structure;
        let (values, sha256) = table.values(residency)?;
        let examples = Examples::new(shape, values, labels);
        Ok(Hdf5File { examples, classes, class_names, synthetic, fit, sha256, note })
    }

    fn number(&self) -> Number {
        self.table.encoding.number
    }

    /// What was inferred about the part.
    fn note(&self) -> Option<String> {
        let Structure { objects, notes: [axes, form], classes, class_names, .. } = &self.structure;
        let values = self.range.map(|range| self.values_note(range)).unwrap_or_default();
        let are_named = *class_names == ClassNames::Labels;
        let course = [naming::examples(self.split), naming::labels(self.split), naming::CLASS_LIST];
        let mut pairs = objects.iter().zip(course);
        let is_course =
            pairs.all(|(name, course)| name.is_empty() || *name == format!("/{course}"));
        if is_course && !are_named && [&values, axes, form].iter().all(|note| note.is_empty()) {
            return None;
        }
        let [images, labels, list] = objects;
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
        match self.table.scale.0 {
            white @ 256.. => {
                format!("{number} of {} bits, scaled to 0 to 255", white.count_ones())
            }
            255 if range.whole => format!("{number} from 0 to 255"),
            255 => format!("{number} from 0 to 255, rounded"),
            white => format!("{number} from 0 to {white}, scaled to 0 to 255"),
        }
    }
}

/// The name of an object, and what was inferred about it.
fn described(object: &str, notes: &[&str]) -> String {
    let notes = notes.iter().copied().filter(|note| !note.is_empty());
    let notes = notes.collect::<Vec<_>>().join(", ");
    if notes.is_empty() { format!("`{object}`") } else { format!("`{object}` ({notes})") }
}

/// Opens one part of an HDF5 file, whose objects have one of the usual names. Its structure is read in a
/// subprocess if the program called [`isolate`](crate::isolate). A validation set may be in a file of its
/// own, under the names of a training set.
///
/// Images are `[n, height, width, channels]`, `[n, channels, height, width]` or `[n, height, width]` with
/// 1 or 3 channels: u8, or integers or floats whose values tell their scale. Features are floats
/// `[n, width]` with a width from 1 to 4096, all within the range of `f32`. Labels are whole numbers,
/// names, or one-hot rows. Class names are integers or strings; without a list, names among the labels
/// are the classes, and integer labels stand for classes named `"0"`, `"1"` and so on.
///
/// Fails if the file is not HDF5, lacks an object, stores one in an unsupported way (links, other files, other
/// filters, more than its length or the free memory can hold), is damaged, or contains invalid values,
/// labels or names.
pub fn open(path: &Path, split: SplitKind, residency: Residency) -> Result<Hdf5File, Hdf5Error> {
    ObjectKeys::default().open(path, split)?.read(residency)
}

/// Reads one part of an HDF5 file into memory, like [`open`].
pub fn read(path: &Path, split: SplitKind) -> Result<Hdf5File, Hdf5Error> {
    open(path, split, Residency::InMemory)
}

/// Returns the parts of an HDF5 file, in their usual order. Objects that name no part are a training set.
/// Fails if the file is not HDF5 or damaged.
pub fn splits(path: &Path) -> Result<Vec<SplitKind>, Hdf5Error> {
    let parts = ObjectKeys::default().parts(path)?;
    let is_there = |split: &SplitKind| {
        parts.contains(&Some(*split)) || (*split == SplitKind::Train && parts.contains(&None))
    };
    Ok(SplitKind::ALL.into_iter().filter(is_there).collect())
}
