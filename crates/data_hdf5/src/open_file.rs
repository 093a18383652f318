//! An HDF5 file, open for reading: its type and state, checked before libhdf5 opens it, and its links.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

use hdf5::{File, IndexType, IterationOrder, LinkInfo, LinkType, LocationToken, LocationType};

use crate::error::{ErrorContext, Hdf5Error, shortened};
use crate::ffi;

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// Start of the user block of MATLAB.
const MATLAB: &[u8] = b"MATLAB 7.3";

const DOWNLOAD: &str = "download the file itself again, not the page around it";
const LFS: &str = "fetch the data with `git lfs pull`";
const UNPACK: &str = "unpack it and give the path of the `.h5` file inside";
const FOLDER: &str =
    "a folder of images is another data source; give the path of an `.h5` file here";
const OTHER: &str = "check the path, or download the file again";

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
        let (length, is_matlab) = check(path)?;
        if path.to_str().is_none() {
            return Err(Hdf5Error::not_hdf5(path, "a name that is not UTF-8", "rename the file"));
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
                let is_followed = kind == LinkType::Hard && around.len() <= MAX_DEPTH;
                match is_followed.then(|| self.group(&path)).flatten() {
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
        if !parent.is_empty() {
            match self.link(parent)? {
                Some(LinkType::Hard) if self.group(parent).is_some() => {}
                Some(LinkType::Hard) | None => return Ok(None),
                other => return Ok(other),
            }
        }
        let links = self.links(parent)?;
        Ok(links.into_iter().find_map(|(other, kind)| (other == name).then_some(kind)))
    }

    /// Error for something that is missing, with the names of objects that are there.
    pub fn missing(&self, what: &str) -> Hdf5Error {
        let names = match self.objects() {
            Ok(names) => names,
            Err(error) => return error,
        };
        let names = names.iter().take(8).map(|name| format!("`/{}`", shortened(name)));
        let names = names.collect::<Vec<_>>().join(", ");
        let found = if names.is_empty() { "no object at all" } else { &names };
        let message = format!(
            "has no {what}, found {found}; if one of them is meant, name it in `[dataset.hdf5]` by \
             `images`, `labels` or `classes`; otherwise rewrite the file as `data/README.md` describes"
        );
        Hdf5Error::other(self.path, message)
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

/// Accepts a regular file with an HDF5 signature that no program is writing. Returns its length in bytes,
/// and whether MATLAB wrote it.
fn check(path: &Path) -> Result<(u64, bool), Hdf5Error> {
    let unreadable = |error: io::Error| {
        let remedy = match error.kind() {
            ErrorKind::PermissionDenied => "grant yourself read permission",
            _ => "check the path; a relative one starts at the current folder",
        };
        match error.kind() {
            ErrorKind::NotFound => Hdf5Error::not_hdf5(path, "no such file", remedy),
            kind => Hdf5Error::not_hdf5(path, kind, remedy),
        }
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let length = metadata.len();
    // Before opening: opening a pipe would wait for its writer.
    let other = match () {
        () if metadata.is_dir() => Some(("a folder", FOLDER)),
        () if !metadata.is_file() => Some(("neither a file nor a folder", OTHER)),
        () if length == 0 => Some(("an empty file", OTHER)),
        () => None,
    };
    if let Some((found, remedy)) = other {
        return Err(Hdf5Error::not_hdf5(path, found, remedy));
    }
    let file = fs::File::open(path).map_err(unreadable)?;
    let first = bytes_at(&file, 0, 512);
    // A user block may precede the superblock.
    let offsets = std::iter::once(0).chain((9..63).map(|power| 1_u64 << power));
    let mut starts =
        offsets.take_while(|&offset| offset < length).map(|at| bytes_at(&file, at, 12));
    match starts.find(|bytes| bytes.starts_with(&SIGNATURE)) {
        Some(superblock) if is_open_for_writing(&superblock) => Err(Hdf5Error::other(
            path,
            "is still open in the program that writes it, or was never closed; close it there \
             (`file.close()` in h5py), or, if that program has ended, run `h5clear -s` on it",
        )),
        Some(_) => Ok((length, first.starts_with(MATLAB))),
        None => {
            let (found, remedy) = describe(&first);
            Err(Hdf5Error::not_hdf5(path, found, remedy))
        }
    }
}

/// The start of the superblock: signature (8), version, sizes of offsets and lengths, consistency flags.
/// Version 3 has a flag for a program that writes the file, and one for a program that writes while
/// others read; both are cleared when the file is closed.
fn is_open_for_writing(superblock: &[u8]) -> bool {
    matches!(superblock, [.., 3, _, _, flags] if superblock.len() == 12 && flags & 0b101 != 0)
}

/// Up to `most` bytes at `offset`. If reading fails, the type is unknown and the error is the general one.
fn bytes_at(file: &fs::File, offset: u64, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    let length = file.read_at(&mut bytes, offset).unwrap_or_default();
    bytes.truncate(length);
    bytes
}

fn describe(bytes: &[u8]) -> (&'static str, &'static str) {
    let text =
        String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').trim_start().to_lowercase();
    match bytes {
        _ if text.starts_with("version https://git-lfs") => ("a Git LFS pointer", LFS),
        _ if ["<!doctype", "<html", "<head", "<?xml"].iter().any(|tag| text.starts_with(tag)) => {
            ("an HTML page", DOWNLOAD)
        }
        [0x1f, 0x8b, ..] => ("a gzip archive", UNPACK),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => ("a zip archive", UNPACK),
        [0x89, b'P', b'N', b'G', ..] => ("a PNG image", FOLDER),
        [0xff, 0xd8, 0xff, ..] => ("a JPEG image", FOLDER),
        _ if bytes.iter().all(|&byte| byte == 0) => ("zero bytes", OTHER),
        _ => ("bytes without an HDF5 signature", OTHER),
    }
}
