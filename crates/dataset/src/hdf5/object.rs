//! A data set whose kind, type and storage have been checked, and none of whose data is read yet.

use hdf5::{Dataset, IndexType, IterationOrder, LinkType, LocationType};

use super::Hdf5Error;
use super::element::Element;
use super::error::Site;
use super::ffi;
use super::source::Source;
use super::storage::Storage;

const COPY: &str = "store the data in the file itself, for example with `h5repack` or h5py";

/// A data set of the file that is safe to read.
pub(super) struct Object<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) site: Site<'a>,
    pub(super) dataset: Dataset,
    pub(super) element: Element,
    pub(super) shape: Vec<usize>,
    /// The size of all elements as the file declares it: fits in memory and in the file.
    pub(super) size: usize,
    pub(super) storage: Storage,
}

impl<'a> Object<'a> {
    /// Opens the data set `name`, which must be linked from the root group.
    pub(super) fn open(source: &'a Source<'a>, name: &str) -> Result<Self, Hdf5Error> {
        let site = Site::new(source.path, name);
        require_hard_link(source, &site, name)?;
        require_data_set(source, &site, name)?;
        let damaged = |error: hdf5::Error| site.damaged(error);
        let dataset = source.file.dataset(name).map_err(damaged)?;
        let shape = dataset.space().map_err(damaged)?.shape();
        let element = ffi::element(&dataset.dtype().map_err(damaged)?);
        let (size, storage) = Storage::check(source, &site, &dataset, element, &shape)?;
        Ok(Self { source, site, dataset, element, shape, size, storage })
    }

    /// The number of elements of a vector: `(n,)`, `(1, n)` or `(n, 1)`.
    pub(super) fn vector_length(&self) -> Result<usize, Hdf5Error> {
        match self.shape[..] {
            [length] | [1, length] | [length, 1] => Ok(length),
            _ => {
                let found = format!("of shape {:?}", self.shape);
                Err(self.site.structure(found, "shape [n], [1, n] or [n, 1]", "reshape it"))
            }
        }
    }

    pub(super) fn require_integers_or_strings(&self) -> Result<(), Hdf5Error> {
        match self.element {
            Element::Integer { .. } | Element::Fixed { .. } | Element::Variable => Ok(()),
            Element::Float { .. } | Element::Other(_) => {
                let remedy = "convert it, for example to int64";
                Err(self.site.structure(self.element.to_string(), "integers or strings", remedy))
            }
        }
    }
}

/// The kind of the link `name` of the root group, without following it.
pub(super) fn link(source: &Source, name: &str) -> Result<Option<LinkType>, Hdf5Error> {
    let find = source.file.find_link(IndexType::Name, IterationOrder::Native, |other, info| {
        Ok((other == name).then_some(info.link_type))
    });
    find.map_err(|error| Site::new(source.path, "").damaged(error))
}

fn require_hard_link(source: &Source, site: &Site, name: &str) -> Result<(), Hdf5Error> {
    let found = match link(source, name)? {
        Some(LinkType::Hard) => return Ok(()),
        Some(LinkType::Soft) => "a soft link",
        Some(LinkType::External) => "a link to another file",
        None => "missing",
    };
    Err(site.structure(found, "a data set of this file", COPY))
}

fn require_data_set(source: &Source, site: &Site, name: &str) -> Result<(), Hdf5Error> {
    let kind = source.file.loc_type_by_name(name).map_err(|error| site.damaged(error))?;
    let found = match kind {
        LocationType::Dataset => return Ok(()),
        LocationType::Group => "a group",
        _ => "a named type without data",
    };
    Err(site.structure(found, "a data set", COPY))
}
