//! File operations that survive a power loss.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Creates a directory and its parents, unless they exist.
///
/// Each is synced before anything is created in it, so of the directories that exist only the
/// lowest can be one that a killed process had no time to sync.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        // A parent that may not be opened is not one that this process created.
        sync_parent(path).ok();
        return Ok(());
    }
    parent(path).map_or(Ok(()), create_dir_all)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_parent(path),
    }
}

/// Writes a whole file: under another name first, so that it never exists in part.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = write_synced(&staged, bytes)
        .and_then(|()| fs::rename(&staged, path))
        .and_then(|()| sync_parent(path));
    if written.is_err() {
        fs::remove_file(&staged).ok();
    }
    written
}

/// Writes and syncs the file at `path`, but not its directory entry.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Whether [`write()`] uses this name for a file it has not finished: it ends with the id of a
/// process and `.tmp`.
pub fn is_staged_name(name: &str) -> bool {
    let stem = name.strip_suffix(".tmp").and_then(|name| name.rsplit_once('.'));
    stem.is_some_and(|(_, process)| process.parse::<u32>().is_ok())
}

/// Makes the directory entry of `path` durable.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync_dir(parent(path).unwrap_or(Path::new(".")))
}

/// Makes the entries of `directory` durable.
pub fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn parent(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}
