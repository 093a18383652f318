//! What a run directory holds, and its end.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::RunDir;
use crate::error::RunError;

/// A file of a run, or a directory with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFile {
    /// Its name in the run directory.
    pub name: String,
    /// The bytes of the file, or of all files in the directory.
    pub bytes: u64,
}

impl RunDir {
    /// What is in the directory, by name. A link counts as itself.
    pub fn files(&self) -> Result<Vec<RunFile>, RunError> {
        let entries =
            fs::read_dir(&self.path).map_err(|error| RunError::read(&self.path, error))?;
        let file = |entry: fs::DirEntry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            RunFile { name, bytes: bytes(&entry.path()) }
        };
        let mut files: Vec<_> = entries.flatten().map(file).collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// A run directory right in `directory`, the first by name, if there is one.
    pub fn within(directory: &Path) -> Option<PathBuf> {
        let is_run = |path: &PathBuf| Self { path: path.to_owned() }.config().is_file();
        entries(directory).into_iter().find(is_run)
    }

    /// The run directory at `path`, if it may be removed: it is no link and no directory that only
    /// has the config of a run, holds no other run, and nobody runs it.
    pub fn removable(path: &Path) -> Result<Self, RunError> {
        // Without a slash at the end, behind which the system would follow a link.
        let path: PathBuf = path.components().collect();
        if path.is_symlink() {
            return Err(RunError::IsALink { path });
        }
        if path.file_name().is_none() {
            return Err(RunError::NotARun { path });
        }
        let run = Self::open(&path)?;
        if let Some(file) = run.missing() {
            return Err(RunError::OnlyAConfig { path, file });
        }
        if let Some(inner) = somewhere_within(&path) {
            return Err(RunError::HoldsARun { path, run: inner });
        }
        match run.owner()? {
            Some(owner) => Err(RunError::Running { path, owner }),
            None => Ok(run),
        }
    }

    /// Removes a run, which nobody can continue meanwhile. It is renamed first, so that what a kill
    /// leaves of it is never taken for a run.
    pub fn remove(self) -> Result<(), RunError> {
        let Self { path } = Self::removable(&self.path)?;
        let _lock = self.lock()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let removed = path.with_file_name(format!(".removed-{}-{name}", std::process::id()));
        fs::rename(&path, &removed).map_err(|error| RunError::write(&path, error))?;
        fs::remove_dir_all(&removed).map_err(|error| RunError::write(&removed, error))
    }

    /// What every run makes before its first step, and that is not in this directory itself. A config
    /// alone may be a copy, made to run it again.
    fn missing(&self) -> Option<PathBuf> {
        let files = [self.config(), self.environment(), self.lock_file()];
        files.into_iter().find(|file| !file.is_file() || file.is_symlink())
    }
}

fn somewhere_within(directory: &Path) -> Option<PathBuf> {
    let inner = |path: PathBuf| if path.is_symlink() { None } else { somewhere_within(&path) };
    RunDir::within(directory).or_else(|| entries(directory).into_iter().find_map(inner))
}

/// The bytes of a file, or of all files in a directory. What a link leads to is not counted, nor what
/// is gone meanwhile.
fn bytes(path: &Path) -> u64 {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => entries(path).iter().map(|path| bytes(path)).sum(),
        metadata => metadata.map_or(0, |metadata| metadata.len()),
    }
}

/// What is in `directory`, by name; nothing if it is none.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests;
