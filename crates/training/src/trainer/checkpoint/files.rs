//! The files of a checkpoint directory.
//!
//! `SHA256SUMS` lists every other file in the format of `sha256sum`, which can verify it too.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::Path;

use artifacts::ArtifactError;
use rustix::io::Errno;
use support::durable_fs::{sync_dir, write_synced};
use support::sha256;

use super::Checkpoint;
use crate::error::RunError;
use crate::trainer::TrainingState;

/// Name and content of a file of a checkpoint.
type File<'a> = (&'a str, &'a [u8]);

pub const MODEL: &str = "model.bpk";
pub const WEIGHTS: &str = "weights.bpk";
pub const OPTIMIZER: &str = "optimizer.bpk";
pub const STATE: &str = "state.json";
pub const SUMS: &str = "SHA256SUMS";

/// Writes all files of a checkpoint into the new directory `staged`, durably.
pub fn write(staged: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
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

/// Reads the checkpoint in `directory` and verifies its checksums.
pub fn read(directory: &Path) -> Result<Checkpoint, RunError> {
    let model = read_file(directory, MODEL)?;
    let optimizer = read_file(directory, OPTIMIZER)?;
    let state = read_file(directory, STATE)?;
    let has_weights = directory.join(WEIGHTS).symlink_metadata().is_ok();
    let weights = has_weights.then(|| read_file(directory, WEIGHTS)).transpose()?;
    let actual = sums(&files(&model, weights.as_deref(), &optimizer, &state));
    if let Some(file) = first_difference(&read_file(directory, SUMS)?, &actual) {
        return Err(damaged(directory, file, "its SHA-256 differs from SHA256SUMS"));
    }
    let state: TrainingState =
        serde_json::from_slice(&state).map_err(|error| damaged(directory, STATE, error))?;
    Ok(Checkpoint { state, model, weights, optimizer })
}

pub fn damaged(directory: &Path, file: &str, reason: impl Display) -> RunError {
    let path = directory.join(file);
    RunError::Other(format!(
        "the checkpoint file {} is damaged: {reason}\n  restore it from a backup, or start a new run",
        path.display()
    ))
}

fn read_file(directory: &Path, file: &str) -> Result<Vec<u8>, RunError> {
    fs::read(directory.join(file)).map_err(|error| {
        if is_transient(&error) {
            ArtifactError::read(&directory.join(file), error).into()
        } else {
            damaged(directory, file, error)
        }
    })
}

/// Returns true if a file that cannot be read now may be intact. Its checkpoint must not be
/// skipped.
pub fn is_transient(error: &io::Error) -> bool {
    let transient = [Errno::ACCESS, Errno::PERM, Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| transient.contains(&error))
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
