use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use artifacts::ArtifactError;
use support::durable_fs::{sync_dir, sync_parent};

use super::Checkpoint;
use super::files::{self, STATE, damaged};
use crate::error::RunError;
use crate::trainer::TrainingState;

/// The checkpoints of a run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    pub(super) directory: PathBuf,
    /// Identifies the run.
    run: String,
}

impl Checkpoints {
    /// Opens the checkpoints of `run` in `directory` and removes leftovers of interrupted commits.
    pub fn open(directory: PathBuf, run: &str) -> Result<Self, RunError> {
        fs::create_dir_all(&directory)
            .and_then(|()| sync_parent(&directory))
            // A killed process may not have synced its last rename, and older checkpoints are
            // removed because of the newest one.
            .and_then(|()| sync_dir(&directory))
            .map_err(|error| write_error(&directory, error))?;
        let checkpoints = Self::existing(directory, run);
        for name in checkpoints.names()?.iter().filter(|name| is_leftover(name)) {
            let path = checkpoints.directory.join(name);
            remove_any(&path).map_err(|error| write_error(&path, error))?;
        }
        Ok(checkpoints)
    }

    /// The checkpoints of `run` in `directory`, for reading.
    pub fn existing(directory: PathBuf, run: &str) -> Self {
        Self { directory, run: run.to_owned() }
    }

    /// Commits a checkpoint durably and returns its name.
    pub fn commit(&self, checkpoint: &Checkpoint) -> Result<String, RunError> {
        let name = checkpoint.state.checkpoint_name();
        if self.load(&name).is_ok_and(|saved| saved.state == checkpoint.state) {
            return Ok(name);
        }
        let staged = self.directory.join(format!(".{name}"));
        files::write(&staged, checkpoint).map_err(|error| {
            // On a full disk, leave the space to the last complete checkpoint.
            fs::remove_dir_all(&staged).ok();
            write_error(&staged, error)
        })?;
        self.remove(&name)?;
        let committed = self.directory.join(&name);
        fs::rename(&staged, &committed)
            .and_then(|()| sync_parent(&committed))
            .map_err(|error| write_error(&committed, error))?;
        Ok(name)
    }

    /// Whether there are checkpoints.
    pub fn exist(&self) -> bool {
        self.committed().is_ok_and(|names| !names.is_empty())
    }

    /// The newest intact checkpoint; `None` if there are no checkpoints. Damaged ones are skipped
    /// with a warning.
    pub fn newest(&self) -> Result<Option<Checkpoint>, RunError> {
        let mut damaged = Vec::new();
        for name in self.committed()?.iter().rev() {
            match self.load(name) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(error @ RunError::Artifact(_)) => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().next().unwrap_or_default();
                    tracing::warn!("{reason}; trying the previous checkpoint");
                    damaged.push(reason.to_owned());
                }
            }
        }
        if damaged.is_empty() {
            return Ok(None);
        }
        Err(RunError::Other(format!(
            "all checkpoints of the run are damaged:\n  {}\n  restore one from a backup, or start a new run",
            damaged.join("\n  ")
        )))
    }

    /// Complete epochs, and steps of the current one, of the newest checkpoint by its name; its
    /// files are not read.
    pub fn newest_position(&self) -> Result<Option<(usize, usize)>, RunError> {
        let newest = self.committed()?.pop();
        let position = newest.and_then(|name| position(&name));
        Ok(position.map(|(epoch, step)| (epoch.saturating_sub(1), step)))
    }

    /// Renames the checkpoints after `state`: they are damaged, and must not be the newest once the
    /// run continues from `state`.
    pub fn set_aside_after(&self, state: &TrainingState) -> Result<(), RunError> {
        let loaded = position(&state.checkpoint_name());
        for name in self.committed()?.iter().filter(|name| position(name) > loaded) {
            let aside = self.directory.join(format!("damaged-{name}"));
            remove_any(&aside).ok();
            fs::rename(self.directory.join(name), &aside)
                .map_err(|error| write_error(&aside, error))?;
        }
        Ok(())
    }

    /// Reads the checkpoint `name` and verifies that this run committed every byte of it.
    pub fn load(&self, name: &str) -> Result<Checkpoint, RunError> {
        let path = self.directory.join(name);
        if position(name).is_none() {
            return Err(damaged(&path, "", "checkpoint names have the form epoch-N-step-N"));
        }
        let checkpoint = files::read(&path)?;
        let actual = checkpoint.state.checkpoint_name();
        if actual != name {
            Err(damaged(&path, STATE, format!("it holds the state of {actual}")))
        } else if checkpoint.state.run != self.run {
            Err(RunError::Other(format!(
                "the checkpoint {} belongs to another run\n  restore the checkpoints of this run, or start a new run",
                path.display()
            )))
        } else {
            Ok(checkpoint)
        }
    }

    /// Removes all but the `keep_last` newest checkpoints and those they reference.
    pub fn prune(&self, keep_last: usize) -> Result<(), RunError> {
        let mut names = self.committed()?;
        let kept = names.split_off(names.len().saturating_sub(keep_last));
        let referenced: Vec<_> = kept.iter().flat_map(|name| self.referenced_by(name)).collect();
        names.retain(|name| !referenced.contains(name));
        names.iter().try_for_each(|name| self.remove(name))
    }

    fn referenced_by(&self, name: &str) -> Vec<String> {
        let state = fs::read(self.directory.join(name).join(STATE)).unwrap_or_default();
        let state = serde_json::from_slice::<TrainingState>(&state);
        state.map_or(Vec::new(), |state| state.references().map(str::to_owned).collect())
    }

    /// Names of the committed checkpoints, oldest first.
    pub(super) fn committed(&self) -> Result<Vec<String>, RunError> {
        let mut names = self.names()?;
        names.retain(|name| position(name).is_some());
        names.sort_by_key(|name| position(name));
        Ok(names)
    }

    /// Names of all entries of the directory.
    pub(super) fn names(&self) -> Result<Vec<String>, RunError> {
        let read_error = |error| ArtifactError::read(&self.directory, error);
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(read_error)?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        Ok(names.collect::<io::Result<_>>().map_err(read_error)?)
    }

    /// Renames before removing, so that a partly removed checkpoint is never read.
    fn remove(&self, name: &str) -> Result<(), RunError> {
        let path = self.directory.join(name);
        // `exists` is false for a dangling link.
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let removed = self.directory.join(format!(".removed-{name}"));
        fs::rename(&path, &removed)
            .and_then(|()| remove_any(&removed))
            .map_err(|error| write_error(&path, error))
    }
}

fn is_leftover(name: &str) -> bool {
    name.starts_with(".epoch-") || name.starts_with(".removed-epoch-")
}

/// Removes a directory, file or link.
fn remove_any(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Epoch and step of a checkpoint's name.
fn position(name: &str) -> Option<(usize, usize)> {
    let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
    Some((epoch.parse().ok()?, step.parse().ok()?))
}

fn write_error(path: &Path, error: io::Error) -> RunError {
    ArtifactError::write(path, error).into()
}
