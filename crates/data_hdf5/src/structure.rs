//! Structure of a file: everything but its pixels or features, read and checked.

use data::Fit;
use serde::{Deserialize, Serialize};

use crate::budget::MemoryBudget;
use crate::classes::{self, ClassNames};
use crate::error::Hdf5Error;
use crate::naming::{FITS, ObjectPaths, SYNTHETIC};
use crate::open_file::OpenFile;
use crate::part_objects::PartObjects;
use crate::reader::{Answer, Request};
use crate::rows::{Encoding, Layout};

/// A part whose structure has been checked, and the location of its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// Names of the images or features, the labels, and the list of classes, if there is one.
    pub objects: [String; 3],
    pub shape: [usize; 3],
    /// Number of examples.
    pub count: usize,
    #[serde(skip)]
    pub labels: Vec<u32>,
    pub classes: Vec<String>,
    pub class_names: ClassNames,
    pub synthetic: bool,
    pub fit: Option<Fit>,
    /// What was inferred about images and labels; empty if nothing was.
    pub notes: [String; 2],
    pub encoding: Encoding,
    pub layout: Layout,
}

/// Answers a request in this process. `prepare` receives the resources that the data of a part need once
/// the structure is checked, before any data are read.
pub fn answer(
    Request { split, keys, path }: &Request,
    prepare: impl FnOnce(&MemoryBudget) -> Result<(), Hdf5Error>,
) -> Result<Answer, Hdf5Error> {
    let file = OpenFile::open(path)?;
    let Some(split) = *split else {
        return Ok(Answer::Parts(ObjectPaths::of(&file, keys)?.parts()));
    };
    let part = file.part(split, keys)?;
    let budget = MemoryBudget::new(&part);
    budget.check(&part.images)?;
    prepare(&budget)?;

    let PartObjects { images, labels, form, classes: list, count, shape, encoding, note } = part;
    let least = classes::least(split);
    let names = list.as_ref().map(|list| classes::read(list, least)).transpose()?;
    let notes = [note.to_owned(), form.note(&labels)];
    let (classes, class_names, indices) =
        classes::of(&labels.context, &form.read(&labels)?, names, (least, form.classes()))?;
    let list = list.map_or(String::new(), |list| list.context.object);
    let mut fit = None;
    for (mark, name) in FITS {
        fit = fit.or(file.link(name)?.map(|_| mark));
    }
    Ok(Answer::Structure(Box::new(Structure {
        layout: images.layout()?,
        objects: [images.context.object, labels.context.object, list],
        shape,
        count,
        labels: indices,
        classes,
        class_names,
        synthetic: file.link(SYNTHETIC)?.is_some(),
        fit,
        notes,
        encoding,
    })))
}
