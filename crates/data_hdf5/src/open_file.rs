//! An HDF5 file, open for reading, and its links.

use std::collections::VecDeque;
use std::path::Path;

use hdf5::{File, IndexType, IterationOrder, LinkInfo, LinkType, LocationToken, LocationType};

use crate::context::{self, ErrorContext};
use crate::error::Hdf5Error;
use crate::ffi;
use crate::signature::{self, Signature};

const NAME: &str = "if one of them is meant, name it in `[dataset.hdf5]` by `images`, `labels` or \
                    `classes`; otherwise rewrite the file as `data/README.md` describes";

/// Maximum number of objects that are looked at.
const MAX_OBJECTS: usize = 1 << 16;
/// Maximum number of groups around an object.
const MAX_DEPTH: usize = 3;
/// Number of characters of a name that are kept; no longer one is looked for.
const MAX_NAME: usize = 256;

/// An HDF5 file, open for reading.
pub struct OpenFile<'a> {
    pub path: &'a Path,
    pub file: File,
    /// Length of the file in bytes.
    pub length: u64,
    /// Whether MATLAB wrote it, which stores the axes of an array in reverse.
    pub is_matlab: bool,
}

impl<'a> OpenFile<'a> {
    pub fn open(path: &'a Path) -> Result<Self, Hdf5Error> {
        let Signature { length, is_matlab } = signature::check(path)?;
        if path.to_str().is_none() {
            let (file, found) = (path.to_path_buf(), "a name that is not UTF-8".into());
            return Err(Hdf5Error::Unreadable { file, found, remedy: "rename the file".into() });
        }
        ffi::disable_plugins();
        // The explicit driver overrides `HDF5_DRIVER` of the environment.
        let file = File::with_options().with_fapl(|access| access.sec2()).open(path);
        let file = file.map_err(|error| ErrorContext::new(path, "").damaged(error))?;
        Ok(Self { path, file, length, is_matlab })
    }

    /// Paths of data sets and links, and of groups without any, the shallowest first; at most
    /// [`MAX_OBJECTS`] of them, and no deeper than [`MAX_DEPTH`] groups. Only hard links are followed.
    pub fn objects(&self) -> Result<Vec<String>, Hdf5Error> {
        let root = self.file.loc_info().map_err(|error| self.damaged("", error))?.token;
        let (mut paths, mut groups) = (Vec::new(), VecDeque::from([(String::new(), vec![root])]));
        while let Some((group, around)) = groups.pop_front() {
            let links = self.links(&group)?;
            if links.is_empty() && !group.is_empty() {
                paths.push(group.clone());
            }
            for (name, kind) in links {
                let path = if group.is_empty() { name } else { format!("{group}/{name}") };
                let inner = (kind == LinkType::Hard && around.len() <= MAX_DEPTH)
                    .then(|| self.group(&path))
                    .flatten();
                match inner {
                    _ if paths.len() + groups.len() >= MAX_OBJECTS => break,
                    // A group may contain itself.
                    Some(group) if !around.contains(&group) => {
                        groups.push_back((path, [&around[..], &[group]].concat()));
                    }
                    _ => paths.push(path),
                }
            }
        }
        Ok(paths)
    }

    /// Kind of the last link of `path`, or of an earlier one that is not a hard link. No other link is
    /// followed.
    pub fn link(&self, path: &str) -> Result<Option<LinkType>, Hdf5Error> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        match parent {
            "" => {}
            _ => match self.link(parent)? {
                Some(LinkType::Hard) if self.group(parent).is_some() => {}
                Some(LinkType::Hard) | None => return Ok(None),
                other => return Ok(other),
            },
        }
        let links = self.links(parent)?.into_iter();
        Ok(links.into_iter().find_map(|(other, kind)| (other == name).then_some(kind)))
    }

    /// Error for something that is missing, with the names of objects that are there.
    pub fn missing(&self, what: String) -> Result<Hdf5Error, Hdf5Error> {
        let names = self.objects()?;
        let names = names.iter().take(8).map(|name| format!("`/{}`", context::shortened(name)));
        let names = names.collect::<Vec<_>>();
        let found = if names.is_empty() { "no object at all".into() } else { names.join(", ") };
        Ok(Hdf5Error::Missing { file: self.path.to_path_buf(), what, found, remedy: NAME.into() })
    }

    /// Names and kinds of the links of a group, which only hard links lead to.
    fn links(&self, group: &str) -> Result<Vec<(String, LinkType)>, Hdf5Error> {
        let damaged = |error| self.damaged(group, error);
        let opened = if group.is_empty() { None } else { Some(self.file.group(group)) };
        let opened = opened.transpose().map_err(damaged)?;
        let mut links = Vec::new();
        let visit = |name: &str, info: LinkInfo| {
            links.push((name.chars().take(MAX_NAME).collect(), info.link_type));
            Ok((links.len() == MAX_OBJECTS).then_some(()))
        };
        let group = opened.as_ref().unwrap_or(&self.file);
        group.find_link(IndexType::Name, IterationOrder::Native, visit).map_err(damaged)?;
        Ok(links)
    }

    /// Identity of the group at `path`, which only hard links lead to.
    fn group(&self, path: &str) -> Option<LocationToken> {
        let info = self.file.loc_info_by_name(path).ok()?;
        (info.loc_type == LocationType::Group).then_some(info.token)
    }

    fn damaged(&self, object: &str, error: hdf5::Error) -> Hdf5Error {
        ErrorContext::new(self.path, object).damaged(error)
    }
}
