//! The lock of a run directory.
//!
//! Whoever wants it, takes it and writes its own name into it, or reads the name that it finds;
//! both in one turn, so that an empty name or that of an earlier owner is never read.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The right to write into a run directory; ends with the value or the process.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// What became of the wish for a lock.
#[derive(Debug)]
pub enum Asked {
    /// It is ours.
    Got(RunLock),
    /// It belongs to this owner.
    Owned(String),
}

impl RunLock {
    /// Asks for the lock at `path`.
    pub fn ask(path: &Path) -> io::Result<Asked> {
        let _turn = turn(path);
        let mut options = File::options();
        options.create(true).truncate(false).read(true).write(true);
        loop {
            let mut file = options.open(path)?;
            if !is_free(&file)? {
                return Ok(Asked::Owned(owner(&mut file)?));
            }
            // Its directory may have been removed meanwhile, and made again by another process.
            if is_at(&file, path)? {
                write_owner(&mut file)?;
                return Ok(Asked::Got(Self { _file: file }));
            }
        }
    }

    /// Who owns the lock at `path`, if there is one that anybody does. Changes nothing.
    pub fn owner(path: &Path) -> io::Result<Option<String>> {
        let _turn = turn(path);
        // Where there is something else than a run, there is none.
        if !path.is_file() {
            return Ok(None);
        }
        let mut file = File::open(path)?;
        match is_free(&file)? {
            true => Ok(None),
            false => owner(&mut file).map(Some),
        }
    }
}

/// Our turn to look at the lock at `path`; ends with the value. Where directories cannot be
/// locked, as on some network drives, everybody looks at once.
fn turn(path: &Path) -> Option<File> {
    let directory = File::open(path.parent()?).ok()?;
    directory.lock().ok()?;
    Some(directory)
}

/// Whether nobody had the lock on `file`; if so, it has it now.
fn is_free(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match path.metadata() {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn owner(file: &mut File) -> io::Result<String> {
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
    fn a_lock_that_was_removed_or_made_again_is_no_longer_at_its_path() {
        let place = tempfile::TempDir::new().unwrap();
        let path = place.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        File::create(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        assert!(is_at(&file, &path.join("within a file")).is_err());
    }
}
