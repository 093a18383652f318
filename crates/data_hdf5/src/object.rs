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
    /// Opens and checks the dataset at the path `name`. No data are read.
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
        None => return Err(source.missing(format!("`/{name}`"))?),
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
