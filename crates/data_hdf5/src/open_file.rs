//! An HDF5 file, open for reading, and the links of its root group.

use std::path::Path;

use hdf5::{File, IndexType, IterationOrder, LinkType};

use crate::context::{self, ErrorContext};
use crate::error::Hdf5Error;
use crate::{ffi, signature};

const REBUILD: &str = "rewrite the file in the layout that `data/README.md` describes";

/// An HDF5 file, open for reading.
pub struct OpenFile<'a> {
    pub path: &'a Path,
    pub file: File,
    /// Length of the file in bytes.
    pub length: u64,
}

impl<'a> OpenFile<'a> {
    pub fn open(path: &'a Path) -> Result<Self, Hdf5Error> {
        let length = signature::check(path)?;
        if path.to_str().is_none() {
            let (file, found) = (path.to_path_buf(), "a name that is not UTF-8".into());
            return Err(Hdf5Error::Unreadable { file, found, remedy: "rename the file".into() });
        }
        ffi::disable_plugins();
        // The explicit driver overrides `HDF5_DRIVER` of the environment.
        let file = File::with_options().with_fapl(|access| access.sec2()).open(path);
        let file = file.map_err(|error| ErrorContext::new(path, "").damaged(error))?;
        Ok(Self { path, file, length })
    }

    /// Kind of the link `name` of the root group, without following it.
    pub fn link(&self, name: &str) -> Result<Option<LinkType>, Hdf5Error> {
        let find = self.file.find_link(IndexType::Name, IterationOrder::Native, |other, info| {
            Ok((other == name).then_some(info.link_type))
        });
        find.map_err(|error| ErrorContext::new(self.path, "").damaged(error))
    }

    pub fn missing(&self, name: &str) -> Result<Hdf5Error, Hdf5Error> {
        let mut names = Vec::new();
        let visit = self.file.find_link(IndexType::Name, IterationOrder::Native, |name, _| {
            names.push(format!("`/{}`", context::shortened(name)));
            Ok((names.len() == 8).then_some(()))
        });
        let (file, object) = ErrorContext::new(self.path, name).parts();
        visit.map_err(|error| ErrorContext::new(self.path, "").damaged(error))?;
        let found = if names.is_empty() { "no object at all".into() } else { names.join(", ") };
        Ok(Hdf5Error::Missing { file, object, found, remedy: REBUILD.into() })
    }

    pub fn has(&self, name: &str) -> Result<bool, Hdf5Error> {
        Ok(self.link(name)?.is_some())
    }
}
