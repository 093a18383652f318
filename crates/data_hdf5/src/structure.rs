//! Structure of a file: everything but its pixels or features, read and checked.

use std::path::Path;

use data::{Fit, SplitKind};

use crate::budget::MemoryBudget;
use crate::classes::{self, ClassNames, Classes};
use crate::error::Hdf5Error;
use crate::names::{self, SYNTHETIC};
use crate::naming::ObjectPaths;
use crate::object_keys::ObjectKeys;
use crate::open_file::OpenFile;
use crate::part_objects::PartObjects;
use crate::rows::RowsLocation;

/// A part whose structure has been checked, and the location of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// Names of the images or features, the labels, and the list of classes, if there is one.
    pub objects: [String; 3],
    pub shape: [usize; 3],
    pub labels: Vec<u32>,
    pub classes: Vec<String>,
    pub class_names: ClassNames,
    pub synthetic: bool,
    pub fit: Option<Fit>,
    /// What was inferred about images and labels; empty if nothing was.
    pub notes: [String; 2],
    pub location: RowsLocation,
}

/// Reads the structure of a part in this process. `prepare` receives the resources that its data need
/// once the structure is checked, before any data are read.
pub fn read(
    path: &Path,
    split: SplitKind,
    keys: &ObjectKeys,
    prepare: impl FnOnce(&MemoryBudget) -> Result<(), Hdf5Error>,
) -> Result<Structure, Hdf5Error> {
    let file = OpenFile::open(path)?;
    let part = file.part(split, keys)?;
    let budget = MemoryBudget::new(&part);
    budget.check(&part.images)?;
    prepare(&budget)?;

    let PartObjects { images, labels, form, classes: list, shape, encoding, note, .. } = part;
    let names = list.as_ref().map(classes::read).transpose()?;
    let notes = [note.unwrap_or_default().to_owned(), form.note(&labels).unwrap_or_default()];
    let sizes = (classes::least(split), form.classes());
    let Classes { names, origin, labels: indices } =
        Classes::of(&labels.context, form.read(&labels)?, names, sizes)?;
    let list = list.map_or(String::new(), |list| list.context.object);
    let location = RowsLocation { encoding, layout: images.layout()? };
    Ok(Structure {
        objects: [images.context.object, labels.context.object, list],
        shape,
        labels: indices,
        classes: names,
        class_names: origin,
        synthetic: file.link(SYNTHETIC)?.is_some(),
        fit: fit(&file)?,
        notes,
        location,
    })
}

/// How the images were resized, if the file says so.
fn fit(file: &OpenFile) -> Result<Option<Fit>, Hdf5Error> {
    for fit in [Fit::Crop, Fit::Pad] {
        if names::fit(fit).map_or(Ok(None), |name| file.link(name))?.is_some() {
            return Ok(Some(fit));
        }
    }
    Ok(None)
}

/// Parts of a file by the names of its objects; `None` for one that is not named.
pub fn parts(path: &Path, keys: &ObjectKeys) -> Result<Vec<Option<SplitKind>>, Hdf5Error> {
    let paths = OpenFile::open(path)?.objects()?;
    Ok(ObjectPaths { paths: &paths, keys }.parts())
}
