use std::io;
use std::path::{Path, PathBuf};

/// An error about a run directory or a file in it: the cause, then a remedy.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages describe variants and fields")]
pub enum ArtifactError {
    #[error("cannot write {}: {source}\n  check the free disk space and the permissions; everything committed earlier is intact", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}\n  check that it exists and its permissions", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is damaged: {reason}\n  restore the run directory from a backup, or start a new run", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{} has {length} bytes, but had {committed} at the last checkpoint\n  restore it from a backup, or start a new run", path.display())]
    MetricsTruncated { path: PathBuf, length: u64, committed: u64 },
    #[error("{} has run format {found}, and this version reads format {}\n  use trainer {written_by}, which wrote it, or start a new run", path.display(), crate::FORMAT)]
    UnsupportedFormat { path: PathBuf, found: u32, written_by: String },
    #[error("{} already exists\n  resume that run, or choose another directory", path.display())]
    Exists { path: PathBuf },
    #[error("{} is a file, so {} cannot be created in it\n  choose another directory", file.display(), path.display())]
    ParentIsFile { path: PathBuf, file: PathBuf },
    #[error("{} is not a run directory: it has no config.toml\n  give the directory of a run, for example runs/signs", path.display())]
    NotARun { path: PathBuf },
    #[error("no run of `{name}` to resume in {}\n  start a new run, or give the directory of the run", runs.display())]
    NoRun { name: String, runs: PathBuf },
    #[error("{} is a symbolic link, not a run directory\n  give the directory it points to; `rm` removes the link", path.display())]
    IsLink { path: PathBuf },
    #[error("{} is not a run directory: it has a config.toml, but no {} of its own\n  if everything in it should go, remove it with `rm -r`", path.display(), file.file_name().unwrap_or_default().display())]
    OnlyConfig { path: PathBuf, file: PathBuf },
    #[error("{} contains another run, {}\n  move or remove that one first", path.display(), run.display())]
    ContainsRun { path: PathBuf, run: PathBuf },
    #[error("{} is running: {owner} has its lock\n  stop it first, with Ctrl-C or `kill`", path.display())]
    Running { path: PathBuf, owner: String },
    #[error("{} is in use by {owner}\n  wait until that process has ended, or start a separate run", path.display())]
    Locked { path: PathBuf, owner: String },
}

impl ArtifactError {
    /// The error of writing `path`.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// The error of reading `path`.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// The error of a file at `path` whose content is invalid.
    pub fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}
