//! Checkpoints: one directory each, committed by one rename, so that it exists as a whole or not at
//! all.
//!
//! `SHA256SUMS` lists every file in the format of `sha256sum`, which can verify it too.

mod sorted;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use artifacts::ArtifactError;
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use rustix::io::Errno;
use support::durable_fs::{sync_dir, sync_parent, write_synced};
use support::{panics, sha256};

use super::state::TrainingState;
use crate::error::RunError;
use crate::model::Classifier;
use sorted::sorted;

/// The checkpoints of a run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    directory: PathBuf,
    /// Identifies the run.
    run: String,
}

/// A checkpoint in memory, with valid checksums.
#[derive(Debug)]
pub struct Checkpoint {
    /// Progress of the run.
    pub state: TrainingState,
    model: Vec<u8>,
    /// The trained weights, if the model is an average of them.
    weights: Option<Vec<u8>>,
    optimizer: Vec<u8>,
}

/// Name and content of a file of a checkpoint.
type File<'a> = (&'a str, &'a [u8]);

const MODEL: &str = "model.bpk";
const WEIGHTS: &str = "weights.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const STATE: &str = "state.json";
const SUMS: &str = "SHA256SUMS";

impl Checkpoint {
    /// Captures the state of a run.
    pub fn capture(
        classifier: &Classifier,
        average: Option<&Classifier>,
        optimizer: &ModuleOptimizer,
        state: &TrainingState,
    ) -> Result<Self, RunError> {
        let record = |error: burn::store::RecordError| RunError::Record(error.to_string());
        let bytes = |classifier: Classifier| {
            classifier.into_record().into_bytes().map(|bytes| bytes.to_vec()).map_err(record)
        };
        // `valid` folds what batch norm gathered into its running statistics.
        let current = bytes(classifier.valid())?;
        let (model, weights) = match average {
            Some(average) => (bytes(average.clone())?, Some(current)),
            None => (current, None),
        };
        let optimizer = sorted(optimizer.into_bytes().map_err(record)?)?;
        Ok(Self { state: state.clone(), model, weights, optimizer })
    }

    /// Loads the evaluated model into `classifier`, which must have the same architecture.
    pub fn load_model(&self, classifier: Classifier) -> Result<Classifier, RunError> {
        loaded(classifier, &self.model)
    }

    /// Loads the trained weights into `classifier`.
    pub fn load_weights(&self, classifier: Classifier) -> Result<Classifier, RunError> {
        loaded(classifier, self.weights.as_ref().unwrap_or(&self.model))
    }

    /// Loads the state of the optimizer into `optimizer`.
    pub fn load_optimizer(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer, RunError> {
        let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(self.optimizer.clone()))
            .map_err(|error| RunError::Record(error.to_string()))?;
        let expected = record.len();
        // Burn panics on a record of another optimizer, and silently skips what it cannot match.
        let (optimizer, found) = panics::catch(|| {
            let optimizer = optimizer.load_record(record);
            let found = optimizer.to_record().len();
            (optimizer, found)
        })
        .map_err(RunError::Record)?;
        match found == expected {
            true => Ok(optimizer),
            false => Err(RunError::Record(format!(
                "the optimizer loaded {found} of {expected} tensors: was the checkpoint written with another optimizer?"
            ))),
        }
    }

    /// The evaluated model in Burn's format.
    pub fn model_bytes(&self) -> &[u8] {
        &self.model
    }
}

/// The files with checksums, in order.
fn files<'a>(
    model: &'a [u8],
    weights: Option<&'a [u8]>,
    optimizer: &'a [u8],
    state: &'a [u8],
) -> Vec<File<'a>> {
    let weights = weights.map(|weights| (WEIGHTS, weights));
    let others = [(OPTIMIZER, optimizer), (STATE, state)];
    [(MODEL, model)].into_iter().chain(weights).chain(others).collect()
}

fn loaded(classifier: Classifier, bytes: &[u8]) -> Result<Classifier, RunError> {
    ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes.to_vec()))
        .and_then(|record| classifier.try_load_record(record))
        .map_err(|error| RunError::Record(error.to_string()))
}

impl Checkpoints {
    /// Opens the checkpoints of `run` in `directory` and removes leftovers of interrupted commits.
    pub fn open(directory: PathBuf, run: &str) -> Result<Self, RunError> {
        fs::create_dir_all(&directory)
            .and_then(|()| sync_parent(&directory))
            // A killed process may not have synced its last rename, and older checkpoints are removed
            // because of the newest one.
            .and_then(|()| sync_dir(&directory))
            .map_err(|error| write_error(&directory, error))?;
        let checkpoints = Self::existing(directory, run);
        let leftover =
            |name: &&String| name.starts_with(".epoch-") || name.starts_with(".removed-epoch-");
        for name in checkpoints.names()?.iter().filter(leftover) {
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
        self.stage(&staged, checkpoint).map_err(|error| {
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

    /// Writes all files of a checkpoint into `staged`, durably.
    fn stage(&self, staged: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
        let state = serde_json::to_vec_pretty(&checkpoint.state)?;
        let Checkpoint { model, weights, optimizer, .. } = checkpoint;
        let files = files(model, weights.as_deref(), optimizer, &state);
        fs::create_dir(staged)?;
        for (name, bytes) in &files {
            write_synced(&staged.join(name), bytes)?;
        }
        write_synced(&staged.join(SUMS), sums(&files).as_bytes())?;
        sync_dir(staged)
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
        if damaged.is_empty() { Ok(None) } else { Err(RunError::AllDamaged { reasons: damaged }) }
    }

    /// Complete epochs, and steps of the current one, of the newest checkpoint by its name; its files
    /// are not read.
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
        let damaged =
            |file: &str, reason: String| RunError::Damaged { path: path.join(file), reason };
        if position(name).is_none() {
            return Err(damaged("", "checkpoint names have the form epoch-N-step-N".into()));
        }
        let read = |file: &str| {
            fs::read(path.join(file)).map_err(|error| {
                if is_transient(&error) {
                    read_error(&path.join(file), error)
                } else {
                    damaged(file, error.to_string())
                }
            })
        };
        let [model, optimizer, state] = [read(MODEL)?, read(OPTIMIZER)?, read(STATE)?];
        let has_weights = path.join(WEIGHTS).symlink_metadata().is_ok();
        let weights = has_weights.then(|| read(WEIGHTS)).transpose()?;
        let actual = sums(&files(&model, weights.as_deref(), &optimizer, &state));
        if let Some(file) = first_difference(&read(SUMS)?, &actual) {
            return Err(damaged(file, "its SHA-256 differs from SHA256SUMS".into()));
        }
        let state: TrainingState =
            serde_json::from_slice(&state).map_err(|error| damaged(STATE, error.to_string()))?;
        match state.checkpoint_name() {
            actual if actual == name && state.run == self.run => {
                Ok(Checkpoint { state, model, weights, optimizer })
            }
            actual if actual == name => Err(RunError::ForeignCheckpoint { path }),
            actual => Err(damaged(STATE, format!("it holds the state of {actual}"))),
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
    fn committed(&self) -> Result<Vec<String>, RunError> {
        let mut names = self.names()?;
        names.retain(|name| position(name).is_some());
        names.sort_by_key(|name| position(name));
        Ok(names)
    }

    fn names(&self) -> Result<Vec<String>, RunError> {
        let read = |error| read_error(&self.directory, error);
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(read)?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<_>>().map_err(read)
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

/// Removes a directory, file or link.
fn remove_any(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Whether a file that cannot be read now may be intact: its checkpoint must not be skipped then.
fn is_transient(error: &io::Error) -> bool {
    let transient = [Errno::ACCESS, Errno::PERM, Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| transient.contains(&error))
}

/// Epoch and step of a checkpoint's name.
fn position(name: &str) -> Option<(usize, usize)> {
    let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
    Some((epoch.parse().ok()?, step.parse().ok()?))
}

/// One line per file, in the format of `sha256sum`.
fn sums(files: &[File]) -> String {
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect()
}

/// The file whose line differs, or the list itself.
fn first_difference<'a>(stored: &[u8], actual: &'a str) -> Option<&'a str> {
    let mut stored_lines = stored.split(|byte| *byte == b'\n');
    let differing = actual.lines().find(|line| stored_lines.next() != Some(line.as_bytes()));
    let named = differing.map(|line| line.rsplit(' ').next().unwrap_or(SUMS));
    named.or((stored != actual.as_bytes()).then_some(SUMS))
}

fn write_error(path: &Path, error: io::Error) -> RunError {
    ArtifactError::write(path, error).into()
}

fn read_error(path: &Path, error: io::Error) -> RunError {
    ArtifactError::read(path, error).into()
}
