//! Contents and removal of a run directory.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::RunDir;
use crate::ArtifactError;

/// A file of a run, or a directory with its contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFile {
    /// Name in the run directory.
    pub name: String,
    /// Size of the file, or of all files in the directory, in bytes.
    pub bytes: u64,
}

impl RunDir {
    /// The files and directories of the run, sorted by name. A link counts as itself.
    pub fn files(&self) -> Result<Vec<RunFile>, ArtifactError> {
        let entries =
            fs::read_dir(&self.path).map_err(|error| ArtifactError::read(&self.path, error))?;
        let file = |entry: fs::DirEntry| RunFile {
            name: entry.file_name().to_string_lossy().into_owned(),
            bytes: size(&entry.path()),
        };
        let mut files: Vec<_> = entries.flatten().map(file).collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// The first run directory by name that is a direct child of `directory`, if there is one.
    pub fn within(directory: &Path) -> Option<PathBuf> {
        children(directory).into_iter().find(|path| Self { path: path.clone() }.config().is_file())
    }

    /// Opens the run directory at `path` for removal: it is not a link, has a run of its own,
    /// contains no other run, and is not running.
    pub fn removable(path: &Path) -> Result<Self, ArtifactError> {
        // Without a trailing slash, for which the system would follow a link.
        let path: PathBuf = path.components().collect();
        if path.is_symlink() {
            return Err(ArtifactError::IsLink { path });
        }
        let run = Self { path: path.clone() };
        if path.file_name().is_none() || !run.config().is_file() {
            return Err(ArtifactError::NotARun { path });
        }
        if let Some(file) = run.first_missing() {
            return Err(ArtifactError::OnlyConfig { path, file });
        }
        if let Some(inner) = find_run(&path) {
            return Err(ArtifactError::ContainsRun { path, run: inner });
        }
        match run.owner()? {
            Some(owner) => Err(ArtifactError::Running { path, owner }),
            None => Ok(run),
        }
    }

    /// Removes the run, locked against other processes. It is renamed first, so that a partly
    /// removed directory is not mistaken for a run.
    pub fn remove(self) -> Result<(), ArtifactError> {
        let Self { path } = Self::removable(&self.path)?;
        let _lock = self.lock()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let removed = path.with_file_name(format!(".removed-{}-{name}", std::process::id()));
        fs::rename(&path, &removed).map_err(|error| ArtifactError::write(&path, error))?;
        fs::remove_dir_all(&removed).map_err(|error| ArtifactError::write(&removed, error))
    }

    /// The first file that every run writes before its first step and this directory lacks. A
    /// directory with a config alone may hold a copy of it.
    fn first_missing(&self) -> Option<PathBuf> {
        let files = [self.config(), self.environment(), self.lock_file()];
        files.into_iter().find(|file| !file.is_file() || file.is_symlink())
    }
}

/// A run directory anywhere below `directory`.
fn find_run(directory: &Path) -> Option<PathBuf> {
    let below = || children(directory).into_iter().filter(|path| !path.is_symlink());
    RunDir::within(directory).or_else(|| below().find_map(|path| find_run(&path)))
}

/// Size of a file, or of all files below a directory. Targets of links are not counted.
fn size(path: &Path) -> u64 {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => children(path).iter().map(|path| size(path)).sum(),
        metadata => metadata.map_or(0, |metadata| metadata.len()),
    }
}

/// The entries of `directory`, sorted; none if it is not a directory.
fn children(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests;
