use hdf5::{Dataset, LinkType, LocationType};

use crate::context::ErrorContext;
use crate::element::Element;
use crate::error::Hdf5Error;
use crate::ffi;
use crate::open_file::OpenFile;
use crate::storage::Storage;

const COPY: &str = "store the data in the file itself, for example with `h5repack` or h5py";

/// A dataset that is safe to read: its kind, type and storage have been checked.
pub struct Object<'a> {
    pub source: &'a OpenFile<'a>,
    pub context: ErrorContext<'a>,
    pub dataset: Dataset,
    pub element: Element,
    pub shape: Vec<usize>,
    /// Declared size of all elements in bytes.
    pub size: usize,
    pub storage: Storage,
}

impl<'a> Object<'a> {
    /// Opens and checks the dataset `name` of the root group. No data are read.
    pub fn open(source: &'a OpenFile<'a>, name: &str) -> Result<Self, Hdf5Error> {
        let context = ErrorContext::new(source.path, name);
        require_hard_link(source, &context, name)?;
        require_data_set(source, &context, name)?;
        let damaged = |error: hdf5::Error| context.damaged(error);
        let dataset = source.file.dataset(name).map_err(damaged)?;
        let shape = dataset.space().map_err(damaged)?.shape();
        let element = ffi::element(&dataset.dtype().map_err(damaged)?);
        let (size, storage) = Storage::check(source, &context, &dataset, element, &shape)?;
        Ok(Self { source, context, dataset, element, shape, size, storage })
    }

    /// Number of elements of a vector: `(n,)`, `(1, n)` or `(n, 1)`.
    pub fn vector_length(&self) -> Result<usize, Hdf5Error> {
        match self.shape[..] {
            [length] | [1, length] | [length, 1] => Ok(length),
            _ => {
                let found = format!("of shape {:?}", self.shape);
                Err(self.context.structure(found, "shape [n], [1, n] or [n, 1]", "reshape it"))
            }
        }
    }

    pub fn require_integers_or_strings(&self) -> Result<(), Hdf5Error> {
        match self.element {
            Element::Integer { .. } | Element::Fixed { .. } | Element::Variable => Ok(()),
            Element::Float { .. } | Element::Other(_) => {
                let remedy = "convert it, for example to int64";
                Err(self.context.structure(self.element.to_string(), "integers or strings", remedy))
            }
        }
    }
}

fn require_hard_link(
    source: &OpenFile,
    context: &ErrorContext,
    name: &str,
) -> Result<(), Hdf5Error> {
    let found = match source.link(name)? {
        Some(LinkType::Hard) => return Ok(()),
        Some(LinkType::Soft) => "a soft link",
        Some(LinkType::External) => "a link to another file",
        None => "missing",
    };
    Err(context.structure(found, "a data set of this file", COPY))
}

fn require_data_set(
    source: &OpenFile,
    context: &ErrorContext,
    name: &str,
) -> Result<(), Hdf5Error> {
    let kind = source.file.loc_type_by_name(name).map_err(|error| context.damaged(error))?;
    let found = match kind {
        LocationType::Dataset => return Ok(()),
        LocationType::Group => "a group",
        _ => "a named type without data",
    };
    Err(context.structure(found, "a data set", COPY))
}
