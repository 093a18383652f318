//! Checkpoints: one directory each, committed by one rename, so that there is all of its state
//! or none.
//!
//! `SHA256SUMS` lists every file in the format of `sha256sum`, which can check it too.

mod sorted;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use dataset::sha256;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::classifier::Classifier;
use crate::error::RunError;
use crate::panics::caught;
use crate::run_dir::{sync, sync_parent};
use crate::state::State;
use sorted::sorted;

/// When to save, and how much to keep: `[training.checkpoint]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Save after every so many epochs, and after the last one; if absent, whenever an epoch is
    /// reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub every_epochs: Option<usize>,
    /// Also save after every so many steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub every_steps: Option<usize>,
    /// How many to keep, beside the one of the best epoch.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub keep_last: usize,
}

/// The checkpoints of a run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    directory: PathBuf,
    /// What the run is identified by.
    run: String,
}

/// A checkpoint that was read and found whole.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where the run stood.
    pub state: State,
    model: Vec<u8>,
    /// The weights that are trained, where the model is an average of them.
    weights: Option<Vec<u8>>,
    optimizer: Vec<u8>,
}

/// A file of a checkpoint: its name and its bytes.
type File<'a> = (&'a str, &'a [u8]);

const MODEL: &str = "model.bpk";
const WEIGHTS: &str = "weights.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const STATE: &str = "state.json";
const SUMS: &str = "SHA256SUMS";

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { every_epochs: None, every_steps: None, keep_last: 2 }
    }
}

impl Checkpoint {
    /// Takes all state of a run.
    pub fn take(
        classifier: &Classifier,
        average: Option<&Classifier>,
        optimizer: &ModuleOptimizer,
        state: &State,
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

    /// Puts the model into `classifier`, which must have the same architecture.
    pub fn load_model(&self, classifier: Classifier) -> Result<Classifier, RunError> {
        loaded(classifier, &self.model)
    }

    /// Puts the weights that are trained into `classifier`.
    pub fn load_weights(&self, classifier: Classifier) -> Result<Classifier, RunError> {
        loaded(classifier, self.weights.as_ref().unwrap_or(&self.model))
    }

    /// Puts the state of the optimiser into `optimizer`.
    pub fn load_optimizer(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer, RunError> {
        let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(self.optimizer.clone()))
            .map_err(|error| RunError::Record(error.to_string()))?;
        let expected = record.len();
        // Burn panics over a record that is none of this optimiser, and skips what it cannot match
        // without a word.
        let (optimizer, found) = caught(|| {
            let optimizer = optimizer.load_record(record);
            let found = optimizer.to_record().len();
            (optimizer, found)
        })
        .map_err(RunError::Record)?;
        match found == expected {
            true => Ok(optimizer),
            false => Err(RunError::Record(format!(
                "the optimiser took {found} of {expected} tensors: was the checkpoint written with another optimiser?"
            ))),
        }
    }

    /// The model in Burn's format.
    pub fn model_bytes(&self) -> &[u8] {
        &self.model
    }
}

/// The files that have sums, in their order.
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
    /// The checkpoints of `run` in `directory`, without what an interrupted commit left there.
    pub fn open(directory: PathBuf, run: &str) -> Result<Self, RunError> {
        fs::create_dir_all(&directory)
            .and_then(|()| sync_parent(&directory))
            // A process that was killed may have had no time to, after a rename; and what counts
            // as the newest is the reason to remove the others.
            .and_then(|()| sync(&directory))
            .map_err(|error| RunError::write(&directory, error))?;
        let checkpoints = Self::existing(directory, run);
        let leftover =
            |name: &&String| name.starts_with(".epoch-") || name.starts_with(".removed-epoch-");
        for name in checkpoints.names()?.iter().filter(leftover) {
            let path = checkpoints.directory.join(name);
            remove_whatever(&path).map_err(|error| RunError::write(&path, error))?;
        }
        Ok(checkpoints)
    }

    /// The checkpoints of `run` in `directory`, only to be read.
    pub fn existing(directory: PathBuf, run: &str) -> Self {
        Self { directory, run: run.to_owned() }
    }

    /// Commits a checkpoint durably and gives its name.
    pub fn commit(&self, checkpoint: &Checkpoint) -> Result<String, RunError> {
        let name = checkpoint.state.checkpoint_name();
        if self.load(&name).is_ok_and(|saved| saved.state == checkpoint.state) {
            return Ok(name);
        }
        let staged = self.directory.join(format!(".{name}"));
        self.stage(&staged, checkpoint).map_err(|error| {
            // On a full disk the last checkpoint needs the space more than half a new one.
            fs::remove_dir_all(&staged).ok();
            RunError::write(&staged, error)
        })?;
        self.remove(&name)?;
        let committed = self.directory.join(&name);
        fs::rename(&staged, &committed)
            .and_then(|()| sync_parent(&committed))
            .map_err(|error| RunError::write(&committed, error))?;
        Ok(name)
    }

    /// Writes all files of a checkpoint into `staged`, durably.
    fn stage(&self, staged: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
        let state = serde_json::to_vec_pretty(&checkpoint.state)?;
        let Checkpoint { model, weights, optimizer, .. } = checkpoint;
        let files = files(model, weights.as_deref(), optimizer, &state);
        fs::create_dir(staged)?;
        for (name, bytes) in &files {
            write_durably(&staged.join(name), bytes)?;
        }
        write_durably(&staged.join(SUMS), sums(&files).as_bytes())?;
        sync(staged)
    }

    /// The newest checkpoint that is whole, if there is any at all. Each damaged one that it
    /// passes over is logged.
    pub fn newest(&self) -> Result<Option<Checkpoint>, RunError> {
        let mut damaged = Vec::new();
        for name in self.committed()?.iter().rev() {
            match self.load(name) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(error @ RunError::Read { .. }) => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().next().unwrap_or_default();
                    tracing::warn!("{reason}; trying the checkpoint before it");
                    damaged.push(reason.to_owned());
                }
            }
        }
        match damaged.is_empty() {
            true => Ok(None),
            false => Err(RunError::AllDamaged { reasons: damaged }),
        }
    }

    /// Epochs and steps of the current one that the newest checkpoint holds by its name; whether it
    /// is whole is not looked at.
    pub fn reached(&self) -> Result<Option<(usize, usize)>, RunError> {
        let newest = self.committed()?.pop();
        let position = newest.and_then(|name| position(&name));
        Ok(position.map(|(epoch, step)| (epoch.saturating_sub(1), step)))
    }

    /// Renames the checkpoints after `state`: they are damaged, and must not count as the newest
    /// once the run has gone on from `state`.
    pub fn set_aside_after(&self, state: &State) -> Result<(), RunError> {
        let loaded = position(&state.checkpoint_name());
        for name in self.committed()?.iter().filter(|name| position(name) > loaded) {
            let aside = self.directory.join(format!("damaged-{name}"));
            remove_whatever(&aside).ok();
            fs::rename(self.directory.join(name), &aside)
                .map_err(|error| RunError::write(&aside, error))?;
        }
        Ok(())
    }

    /// Reads the checkpoint `name` if every byte of it is as it was committed by this run.
    pub fn load(&self, name: &str) -> Result<Checkpoint, RunError> {
        let path = self.directory.join(name);
        let damaged =
            |file: &str, reason: String| RunError::Damaged { path: path.join(file), reason };
        if position(name).is_none() {
            return Err(damaged("", "a checkpoint is called epoch-N-step-N".into()));
        }
        let read = |file: &str| {
            fs::read(path.join(file)).map_err(|error| match may_be_whole(&error) {
                true => RunError::read(&path.join(file), error),
                false => damaged(file, error.to_string()),
            })
        };
        let [model, optimizer, state] = [read(MODEL)?, read(OPTIMIZER)?, read(STATE)?];
        let has_weights = path.join(WEIGHTS).symlink_metadata().is_ok();
        let weights = has_weights.then(|| read(WEIGHTS)).transpose()?;
        let actual = sums(&files(&model, weights.as_deref(), &optimizer, &state));
        if let Some(file) = first_difference(&read(SUMS)?, &actual) {
            return Err(damaged(file, "its SHA-256 is not the one of SHA256SUMS".into()));
        }
        let state: State =
            serde_json::from_slice(&state).map_err(|error| damaged(STATE, error.to_string()))?;
        match state.checkpoint_name() {
            actual if actual == name && state.run == self.run => {
                Ok(Checkpoint { state, model, weights, optimizer })
            }
            actual if actual == name => Err(RunError::ForeignCheckpoint { path }),
            actual => Err(damaged(STATE, format!("it holds the state of {actual}"))),
        }
    }

    /// Removes all but the `keep_last` newest and those that they refer to.
    pub fn prune(&self, keep_last: usize) -> Result<(), RunError> {
        let mut names = self.committed()?;
        let kept = names.split_off(names.len().saturating_sub(keep_last));
        let referred: Vec<_> = kept.iter().flat_map(|name| self.referred_by(name)).collect();
        names.retain(|name| !referred.contains(name));
        names.iter().try_for_each(|name| self.remove(name))
    }

    fn referred_by(&self, name: &str) -> Vec<String> {
        let state = fs::read(self.directory.join(name).join(STATE)).unwrap_or_default();
        let state = serde_json::from_slice::<State>(&state);
        state.map_or(Vec::new(), |state| state.refers_to().map(str::to_owned).collect())
    }

    /// The names of the committed checkpoints, the oldest first.
    fn committed(&self) -> Result<Vec<String>, RunError> {
        let mut names = self.names()?;
        names.retain(|name| position(name).is_some());
        names.sort_by_key(|name| position(name));
        Ok(names)
    }

    fn names(&self) -> Result<Vec<String>, RunError> {
        let read = |error| RunError::read(&self.directory, error);
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(read)?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<_>>().map_err(read)
    }

    /// Removes by rename first, so that a half removed one is never taken for a checkpoint.
    fn remove(&self, name: &str) -> Result<(), RunError> {
        let path = self.directory.join(name);
        // Not `exists`, which a link to nowhere does not.
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let removed = self.directory.join(format!(".removed-{name}"));
        fs::rename(&path, &removed)
            .and_then(|()| remove_whatever(&removed))
            .map_err(|error| RunError::write(&path, error))
    }
}

/// Removes what is at `path`: there may be a file or a link where a checkpoint was.
fn remove_whatever(path: &Path) -> io::Result<()> {
    match path.symlink_metadata()?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Whether a file that cannot be read may be as it was written: it must not be passed over then.
fn may_be_whole(error: &io::Error) -> bool {
    let passing = [Errno::ACCESS, Errno::PERM, Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| passing.contains(&error))
}

/// Epoch and step of a checkpoint's name.
fn position(name: &str) -> Option<(usize, usize)> {
    let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
    Some((epoch.parse().ok()?, step.parse().ok()?))
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// One line a file, as `sha256sum` prints it.
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
