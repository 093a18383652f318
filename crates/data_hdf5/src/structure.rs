//! Structure of a file: everything but its pixels or features, read and checked.

use std::path::Path;

use data::{Fit, SplitKind};

use crate::budget::MemoryBudget;
use crate::element::Element;
use crate::error::Hdf5Error;
use crate::object::Object;
use crate::open_file::OpenFile;
use crate::rows::{Encoding, RowsLocation};
use crate::{classes, labels};

/// A file whose structure has been checked, and the location of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    pub shape: [usize; 3],
    pub labels: Vec<u32>,
    pub classes: Vec<String>,
    pub synthetic: bool,
    pub fit: Option<Fit>,
    pub location: RowsLocation,
}

/// Reads the structure of a file in this process. `prepare` receives the resources that its data need
/// once the structure is checked, before any data are read.
pub fn read(
    path: &Path,
    split: SplitKind,
    prepare: impl FnOnce(&MemoryBudget) -> Result<(), Hdf5Error>,
) -> Result<Structure, Hdf5Error> {
    let file = OpenFile::open(path)?;
    let (object, count, shape) = file.examples(split)?;
    let labels = file.labels(split, count)?;
    let names = file.classes(&labels)?;
    let lists: Vec<_> = [Some(&labels), names.as_ref()].into_iter().flatten().collect();
    let budget = MemoryBudget::new(&object, &lists);
    budget.check(&object)?;
    prepare(&budget)?;

    let (labels, classes) = labels_and_classes(&labels, names.as_ref())?;
    let encoding = match object.element {
        Element::Float { size, big_endian } => Encoding::Float { size, big_endian },
        _ => Encoding::Pixel,
    };
    let location = RowsLocation { encoding, layout: object.layout()? };
    let (synthetic, fit) = (file.synthetic()?, file.fit()?);
    Ok(Structure { shape, labels, classes, synthetic, fit, location })
}

/// Reads the labels as class indices, and the class names.
fn labels_and_classes(
    labels: &Object,
    names: Option<&Object>,
) -> Result<(Vec<u32>, Vec<String>), Hdf5Error> {
    let numbers = labels::numbers(labels)?;
    let classes = match names {
        Some(names) => classes::read(names)?,
        None => classes::from_labels(&labels.context, &numbers)?,
    };
    Ok((labels::indices(&labels.context, &numbers, classes.len())?, classes))
}
