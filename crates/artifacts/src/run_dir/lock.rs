//! The lock of a run directory.
//!
//! A process that wants the lock acquires it and writes its own name into the file, or reads the
//! name in it. Both happen under a lock of the directory, so an empty name or that of an earlier
//! owner is never read.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The right to write into a run directory; released when dropped or when the process ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Result of an attempt to acquire a lock.
#[derive(Debug)]
pub enum LockAttempt {
    /// This process has it.
    Acquired(RunLock),
    /// Another process has it.
    OwnedBy(String),
}

impl RunLock {
    /// Tries to acquire the lock at `path`, without waiting.
    pub fn try_acquire(path: &Path) -> io::Result<LockAttempt> {
        let _guard = lock_directory(path);
        let mut options = File::options();
        options.create(true).truncate(false).read(true).write(true);
        loop {
            let mut file = options.open(path)?;
            if !try_lock(&file)? {
                return Ok(LockAttempt::OwnedBy(read_owner(&mut file)?));
            }
            // Another process may have removed and recreated the directory in between.
            if is_at(&file, path)? {
                write_owner(&mut file)?;
                return Ok(LockAttempt::Acquired(Self { _file: file }));
            }
        }
    }

    /// The owner of the lock at `path`, if it has one. Changes nothing.
    pub fn owner(path: &Path) -> io::Result<Option<String>> {
        let _guard = lock_directory(path);
        if !path.is_file() {
            return Ok(None);
        }
        let mut file = File::open(path)?;
        if try_lock(&file)? { Ok(None) } else { read_owner(&mut file).map(Some) }
    }
}

/// Locks the directory of `path` until the result is dropped. Where directories cannot be locked,
/// as on some network drives, nothing is locked.
fn lock_directory(path: &Path) -> Option<File> {
    let directory = File::open(path.parent()?).ok()?;
    directory.lock().ok()?;
    Some(directory)
}

/// Locks `file`; `false` if another process has locked it.
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns true if `file` is the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    match path.metadata() {
        Ok(found) => Ok((opened.dev(), opened.ino()) == (found.dev(), found.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn read_owner(file: &mut File) -> io::Result<String> {
    let mut owner = String::new();
    file.read_to_string(&mut owner)?;
    Ok(owner)
}

fn write_owner(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "process {}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_or_recreated_lock_is_no_longer_at_its_path() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        File::create(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        assert!(is_at(&file, &path.join("within a file")).is_err());
    }
}
