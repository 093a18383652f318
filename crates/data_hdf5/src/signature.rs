//! File type and state by the first bytes, checked before libhdf5 opens a file.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::Hdf5Error;

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// Start of the user block of MATLAB.
const MATLAB: &[u8] = b"MATLAB 7.3";

const DOWNLOAD: &str = "download the file itself again, not the page around it";
const LFS: &str = "fetch the data with `git lfs pull`";
const UNPACK: &str = "unpack it and give the path of the `.h5` file inside";
const FOLDER: &str =
    "a folder of images is another data source; give the path of an `.h5` file here";
const OTHER: &str = "check the path, or download the file again";

/// What the first bytes of an HDF5 file say.
pub struct Signature {
    /// Length of the file in bytes.
    pub length: u64,
    /// Whether MATLAB wrote it.
    pub is_matlab: bool,
}

/// Accepts a regular file with an HDF5 signature that no program is writing.
pub fn check(path: &Path) -> Result<Signature, Hdf5Error> {
    let length = regular_file(path)?;
    let mut file = File::open(path).map_err(|error| unreadable(path, error.kind()))?;
    let first = first_bytes(&mut file);
    match superblock(&mut file, length) {
        Some(superblock) if is_open_for_writing(&superblock) => {
            return Err(Hdf5Error::NotClosed { file: path.to_path_buf() });
        }
        Some(_) => return Ok(Signature { length, is_matlab: first.starts_with(MATLAB) }),
        None => {}
    }
    let (found, remedy) = describe(&first);
    let (found, remedy) = (found.into(), remedy.into());
    Err(Hdf5Error::NotHdf5 { file: path.to_path_buf(), found, remedy })
}

// Checked before opening: opening a pipe would wait for its writer.
fn regular_file(path: &Path) -> Result<u64, Hdf5Error> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, error.kind()))?;
    let (found, remedy) = match () {
        () if metadata.is_dir() => ("a folder", FOLDER),
        () if !metadata.is_file() => ("neither a file nor a folder", OTHER),
        () if metadata.len() == 0 => ("an empty file", OTHER),
        () => return Ok(metadata.len()),
    };
    let (found, remedy) = (found.into(), remedy.into());
    Err(Hdf5Error::Unreadable { file: path.to_path_buf(), found, remedy })
}

fn unreadable(path: &Path, kind: ErrorKind) -> Hdf5Error {
    let remedy = match kind {
        ErrorKind::PermissionDenied => "grant yourself read permission",
        _ => "check the path; a relative one starts at the current folder",
    };
    let found = match kind {
        ErrorKind::NotFound => "no such file".to_owned(),
        kind => kind.to_string(),
    };
    Hdf5Error::Unreadable { file: path.to_path_buf(), found, remedy: remedy.into() }
}

/// The start of the superblock, up to 12 bytes: signature (8), version, sizes of offsets and lengths,
/// consistency flags. It is at 0, 512, 1024, 2048 ..: a user block may precede it.
fn superblock(file: &mut File, length: u64) -> Option<Vec<u8>> {
    let offsets = std::iter::once(0).chain((9..63).map(|power| 1_u64 << power));
    offsets.take_while(|&offset| offset < length).find_map(|offset| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset)).ok()?;
        file.by_ref().take(12).read_to_end(&mut bytes).ok()?;
        bytes.starts_with(&SIGNATURE).then_some(bytes)
    })
}

/// Version 3 has a flag for a program that writes the file, and one for a program that writes while
/// others read; both are cleared when the file is closed.
fn is_open_for_writing(superblock: &[u8]) -> bool {
    matches!(superblock, [.., 3, _, _, flags] if superblock.len() == 12 && flags & 0b101 != 0)
}

fn first_bytes(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    // If reading fails, the type is unknown and the error is the general one.
    let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(512).read_to_end(&mut bytes));
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
