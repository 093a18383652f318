//! Checkpoints: one directory each, committed by one rename, so that there is all of its state
//! or none.
//!
//! `SHA256SUMS` lists every file in the format of `sha256sum`, which can check it too.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ::config::Check;
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use burn_pack::{Reader, Writer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::RunError;
use crate::objective::Classifier;
use crate::state::State;

/// When to save, and how much to keep: `[training.checkpoint]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Save after every so many epochs, and after the last one.
    pub every_epochs: usize,
    /// Also save after every so many steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_steps: Option<usize>,
    /// How many to keep, beside the one of the best epoch.
    pub keep_last: usize,
}

/// The checkpoints of a run.
#[derive(Debug)]
pub struct Checkpoints {
    directory: PathBuf,
}

/// A checkpoint that was read and found whole.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where the run stood.
    pub state: State,
    model: Vec<u8>,
    optimizer: Vec<u8>,
}

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const STATE: &str = "state.json";
const SUMS: &str = "SHA256SUMS";

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { every_epochs: 1, every_steps: None, keep_last: 2 }
    }
}

impl CheckpointConfig {
    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        check.count("every_epochs", self.every_epochs, 10_000_000);
        check.count("every_steps", self.every_steps.unwrap_or(1), 1_000_000_000);
        check.count("keep_last", self.keep_last, 1_000_000);
    }
}

impl Checkpoint {
    /// Takes all state of a run.
    pub fn take(
        classifier: &Classifier,
        optimizer: &ModuleOptimizer,
        state: &State,
    ) -> Result<Self, RunError> {
        let record = |error: burn::store::RecordError| RunError::Record(error.to_string());
        // `valid` folds what batch norm gathered into its running statistics.
        let model = classifier.valid().into_record().into_bytes().map_err(record)?;
        let optimizer = sorted(optimizer.into_bytes().map_err(record)?)?;
        Ok(Self { state: state.clone(), model: model.to_vec(), optimizer })
    }

    /// Puts the weights into `classifier`, which must have the same architecture.
    pub fn load_model(&self, classifier: Classifier) -> Result<Classifier, RunError> {
        ModuleRecord::from_bytes(Bytes::from_bytes_vec(self.model.clone()))
            .and_then(|record| classifier.try_load_record(record))
            .map_err(|error| RunError::Record(error.to_string()))
    }

    /// Puts the state of the optimiser into `optimizer`.
    pub fn load_optimizer(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer, RunError> {
        let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(self.optimizer.clone()))
            .map_err(|error| RunError::Record(error.to_string()))?;
        let expected = record.len();
        let optimizer = optimizer.load_record(record);
        // Burn skips what it cannot match without a word.
        let found = optimizer.to_record().len();
        match found == expected {
            true => Ok(optimizer),
            false => Err(RunError::Record(format!(
                "the optimiser took {found} of {expected} tensors: was the checkpoint written with another optimiser?"
            ))),
        }
    }

    /// The weights in Burn's format.
    pub fn model_bytes(&self) -> &[u8] {
        &self.model
    }

    fn files(&self) -> Result<[(&'static str, Vec<u8>); 3], RunError> {
        let state = serde_json::to_vec_pretty(&self.state)
            .map_err(|error| RunError::Record(error.to_string()))?;
        Ok([(MODEL, self.model.clone()), (OPTIMIZER, self.optimizer.clone()), (STATE, state)])
    }
}

impl Checkpoints {
    /// The checkpoints in `directory`, without what an interrupted commit left there.
    pub fn open(directory: PathBuf) -> Result<Self, RunError> {
        fs::create_dir_all(&directory).map_err(|error| RunError::write(&directory, error))?;
        let checkpoints = Self { directory };
        let leftover =
            |name: &&String| name.starts_with(".epoch-") || name.starts_with(".removed-epoch-");
        for name in checkpoints.names()?.iter().filter(leftover) {
            let path = checkpoints.directory.join(name);
            fs::remove_dir_all(&path).map_err(|error| RunError::write(&path, error))?;
        }
        Ok(checkpoints)
    }

    /// The checkpoints in `directory`, only to be read.
    pub fn existing(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Commits a checkpoint durably and gives its name.
    pub fn commit(&self, checkpoint: &Checkpoint) -> Result<String, RunError> {
        let name = checkpoint.state.checkpoint_name();
        if self.load(&name).is_ok_and(|saved| saved.state == checkpoint.state) {
            return Ok(name);
        }
        let staged = self.directory.join(format!(".{name}"));
        let write = |error| {
            // On a full disk the last checkpoint needs the space more than half a new one.
            fs::remove_dir_all(&staged).ok();
            RunError::write(&staged, error)
        };
        fs::create_dir(&staged).map_err(write)?;
        let files = checkpoint.files()?;
        files
            .iter()
            .map(|(file, bytes)| (*file, bytes.as_slice()))
            .chain([(SUMS, sums(&files).as_bytes())])
            .try_for_each(|(file, bytes)| write_durably(&staged.join(file), bytes))
            .and_then(|()| File::open(&staged)?.sync_all())
            .map_err(write)?;
        self.remove(&name)?;
        fs::rename(&staged, self.directory.join(&name)).map_err(write)?;
        self.sync()?;
        Ok(name)
    }

    /// The newest checkpoint that is whole, if there is any at all. Each damaged one that it
    /// passes over is logged.
    pub fn newest(&self) -> Result<Option<Checkpoint>, RunError> {
        let mut damaged = Vec::new();
        for name in self.committed()?.iter().rev() {
            match self.load(name) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
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

    /// Reads the checkpoint `name` if every byte of it is as it was committed.
    pub fn load(&self, name: &str) -> Result<Checkpoint, RunError> {
        let path = self.directory.join(name);
        let damaged =
            |file: &str, reason: String| RunError::Damaged { path: path.join(file), reason };
        if position(name).is_none() {
            return Err(damaged("", "a checkpoint is called epoch-N-step-N".into()));
        }
        let read = |file: &'static str| -> Result<_, RunError> {
            let bytes =
                fs::read(path.join(file)).map_err(|error| damaged(file, error.to_string()))?;
            Ok((file, bytes))
        };
        let files = [read(MODEL)?, read(OPTIMIZER)?, read(STATE)?];
        let (_, stored) = read(SUMS)?;
        if let Some(file) = first_difference(&stored, &sums(&files)) {
            return Err(damaged(file, "its SHA-256 is not the one of SHA256SUMS".into()));
        }
        let [(_, model), (_, optimizer), (_, state)] = files;
        let state: State =
            serde_json::from_slice(&state).map_err(|error| damaged(STATE, error.to_string()))?;
        match state.checkpoint_name() {
            actual if actual == name => Ok(Checkpoint { state, model, optimizer }),
            actual => Err(damaged(STATE, format!("it holds the state of {actual}"))),
        }
    }

    /// Removes all but the `keep_last` newest and the best ones that those refer to.
    pub fn prune(&self, keep_last: usize) -> Result<(), RunError> {
        let mut names = self.committed()?;
        let kept = names.split_off(names.len().saturating_sub(keep_last));
        let best: Vec<_> = kept.iter().filter_map(|name| self.best_of(name)).collect();
        names.retain(|name| !best.contains(name));
        names.iter().try_for_each(|name| self.remove(name))
    }

    fn best_of(&self, name: &str) -> Option<String> {
        let state = fs::read(self.directory.join(name).join(STATE)).ok()?;
        let state: State = serde_json::from_slice(&state).ok()?;
        state.best.map(|best| best.checkpoint)
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
        if !path.exists() {
            return Ok(());
        }
        let removed = self.directory.join(format!(".removed-{name}"));
        fs::rename(&path, &removed)
            .and_then(|()| fs::remove_dir_all(&removed))
            .map_err(|error| RunError::write(&path, error))
    }

    fn sync(&self) -> Result<(), RunError> {
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| RunError::write(&self.directory, error))
    }
}

/// Epoch and step of a checkpoint's name.
fn position(name: &str) -> Option<(usize, usize)> {
    let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
    Some((epoch.parse().ok()?, step.parse().ok()?))
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// One line a file, as `sha256sum` prints it.
fn sums(files: &[(&str, Vec<u8>)]) -> String {
    let line = |(name, bytes): &(&str, Vec<u8>)| format!("{}  {name}\n", sha256(bytes));
    files.iter().map(line).collect()
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file whose line differs, or the list itself.
fn first_difference<'a>(stored: &[u8], actual: &'a str) -> Option<&'a str> {
    let mut stored_lines = stored.split(|byte| *byte == b'\n');
    let differing = actual.lines().find(|line| stored_lines.next() != Some(line.as_bytes()));
    let named = differing.map(|line| line.rsplit(' ').next().unwrap_or(SUMS));
    named.or((stored != actual.as_bytes()).then_some(SUMS))
}

/// The same record with its tensors in the order of their names: Burn keeps them in a hash map,
/// whose order changes from process to process.
fn sorted(record: Bytes) -> Result<Vec<u8>, RunError> {
    let sort = || {
        let reader = Reader::from_bytes(record)?;
        let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
        let mut tensors = Vec::new();
        for tensor in reader.into_tensors()? {
            let (name, dtype, shape, id, bytes) = tensor.into_parts()?;
            tensors.push((name.clone(), burn_pack::Tensor::new(name, dtype, shape, id, bytes)));
        }
        tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
        let writer = Writer::new(tensors.into_iter().map(|(_, tensor)| tensor).collect());
        let writer =
            scalars.iter().fold(writer, |writer, (key, value)| writer.with_scalar(key, *value));
        let writer =
            metadata.iter().fold(writer, |writer, (key, value)| writer.with_metadata(key, value));
        writer.into_bytes()
    };
    let bytes = sort().map_err(|error: burn_pack::Error| RunError::Record(error.to_string()))?;
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Best;
    use tempfile::TempDir;

    fn checkpoint(epoch: usize, best: Option<&str>) -> Checkpoint {
        let best = best.map(|checkpoint| Best {
            epoch: 1,
            checkpoint: checkpoint.to_owned(),
            accuracy: 0.5,
            loss: 1.0,
        });
        let state = State { epoch, best, ..State::new("run".to_owned(), 1) };
        Checkpoint { state, model: vec![epoch as u8; 40], optimizer: vec![7; 20] }
    }

    fn committed(epochs: &[(usize, Option<&str>)]) -> (TempDir, Checkpoints) {
        let place = TempDir::new().unwrap();
        let checkpoints = Checkpoints::open(place.path().join("checkpoints")).unwrap();
        for (epoch, best) in epochs {
            checkpoints.commit(&checkpoint(*epoch, *best)).unwrap();
        }
        (place, checkpoints)
    }

    #[test]
    fn what_was_committed_is_read_back() {
        let (_place, checkpoints) = committed(&[(1, None), (2, None)]);
        let newest = checkpoints.newest().unwrap().unwrap();
        assert_eq!((newest.state.epoch, newest.model), (2, vec![2; 40]));
    }

    #[test]
    fn every_changed_bit_and_every_truncation_is_noticed() {
        let (place, checkpoints) = committed(&[(1, None)]);
        let name = "epoch-000001-step-000000";
        for file in [MODEL, OPTIMIZER, STATE, SUMS] {
            let path = place.path().join("checkpoints").join(name).join(file);
            let whole = fs::read(&path).unwrap();
            for position in 0..whole.len() {
                for bit in 0..8 {
                    let mut flipped = whole.clone();
                    flipped[position] ^= 1 << bit;
                    fs::write(&path, flipped).unwrap();
                    assert!(checkpoints.load(name).is_err(), "{file}, byte {position}, bit {bit}");
                }
                fs::write(&path, &whole[..position]).unwrap();
                assert!(checkpoints.load(name).is_err(), "{file} cut at {position}");
            }
            fs::write(&path, whole).unwrap();
        }
        assert!(checkpoints.load(name).is_ok());
    }

    #[test]
    fn pruning_keeps_the_last_ones_and_the_best_they_refer_to() {
        let best = Some("epoch-000002-step-000000");
        let (_place, checkpoints) = committed(&[(1, None), (2, None), (3, best), (4, best)]);
        checkpoints.prune(1).unwrap();
        let expected = ["epoch-000002-step-000000", "epoch-000004-step-000000"];
        assert_eq!(checkpoints.names().unwrap().len(), 2);
        assert_eq!(checkpoints.committed().unwrap(), expected);
    }

    #[test]
    fn leftovers_of_an_interrupted_commit_are_cleared_and_nothing_else() {
        let (place, checkpoints) = committed(&[(1, None)]);
        for name in [".epoch-000002-step-000000", ".removed-epoch-000000-step-000000", ".mine"] {
            fs::create_dir(checkpoints.directory.join(name)).unwrap();
        }
        let checkpoints = Checkpoints::open(place.path().join("checkpoints")).unwrap();
        let mut names = checkpoints.names().unwrap();
        names.sort();
        assert_eq!(names, [".mine", "epoch-000001-step-000000"]);
    }
}
