//! The reproducible files of a finished run. A directory with any other file is rejected.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::tally::{CaseResult, require};

/// Contents of the files of a run that do not depend on interruptions: config, metrics, scores,
/// plots, best model, the newest checkpoint and that of the best epoch. Which other checkpoints
/// are kept depends on the point of interruption.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, Vec<u8>>);

/// Files with times, process ids or events, which differ between equal runs.
const VARIABLE_FILES: [&str; 9] = [
    "environment.json",
    "lock",
    "report.html",
    "run.log",
    "status.json",
    "summary.json",
    "throughput.png",
    "throughput.svg",
    "timings.jsonl",
];

/// Files that are equal for equal runs.
const REPRODUCIBLE_FILES: [&str; 19] = [
    "accuracy.png",
    "accuracy.svg",
    "best_model.bpk",
    "calibration.png",
    "calibration.svg",
    "config.toml",
    "confusion.png",
    "confusion.svg",
    "curves.png",
    "curves.svg",
    "evaluation-test.json",
    "evaluation-train.json",
    "learning_rate.png",
    "learning_rate.svg",
    "loss.png",
    "loss.svg",
    "metrics.csv",
    "metrics.jsonl",
    "test_predictions.json",
];

/// Directories of a run. The event files of TensorBoard contain times.
const DIRECTORIES: [&str; 2] = ["checkpoints", "tensorboard"];

/// Files of a checkpoint.
pub const CHECKPOINT_FILES: [&str; 4] = ["SHA256SUMS", "model.bpk", "optimizer.bpk", "state.json"];

/// Returns whether a run directory may contain a file or directory of this name.
pub fn is_run_file(name: &str) -> bool {
    VARIABLE_FILES.contains(&name)
        || REPRODUCIBLE_FILES.contains(&name)
        || DIRECTORIES.contains(&name)
}

impl Snapshot {
    /// Reads the finished run in `directory`. Fails if it contains an unexpected file, or more
    /// than `keep_last` checkpoints in addition to that of the best epoch.
    pub fn read(directory: &Path, keep_last: usize) -> CaseResult<Self> {
        let mut files = BTreeMap::new();
        for name in list_names(directory)? {
            if REPRODUCIBLE_FILES.contains(&name.as_str()) {
                files.insert(name.clone(), fs::read(directory.join(&name))?);
            } else if !is_run_file(&name) {
                return Err(format!("unexpected file {name}").into());
            }
        }
        let checkpoints = list_names(&directory.join("checkpoints"))?;
        check_count(&checkpoints, keep_last)?;
        let newest = checkpoints.last().ok_or("no checkpoint")?;
        let best = best_checkpoint(directory)?;
        for checkpoint in best.iter().chain([newest]) {
            add_checkpoint(directory, checkpoint, &mut files)?;
        }
        Ok(Self(files))
    }

    /// Removes the file `name`.
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Fails if `other` has other files or contents.
    pub fn require_equal(&self, other: &Self) -> CaseResult {
        let names = self.0.keys().chain(other.0.keys());
        let mut differing: Vec<_> =
            names.filter(|name| self.0.get(*name) != other.0.get(*name)).collect();
        differing.sort_unstable();
        differing.dedup();
        require(differing.is_empty(), || format!("{differing:?} differ"))
    }
}

fn check_count(checkpoints: &[String], keep_last: usize) -> CaseResult {
    let are_named = checkpoints.iter().all(|name| name.starts_with("epoch-"));
    let are_valid = are_named && checkpoints.len() <= keep_last + 1;
    require(are_valid, || format!("unexpected checkpoints {checkpoints:?}"))
}

fn best_checkpoint(directory: &Path) -> CaseResult<Option<String>> {
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(directory.join("summary.json"))?)?;
    Ok(summary.pointer("/best/checkpoint").and_then(|name| name.as_str()).map(str::to_owned))
}

fn add_checkpoint(
    directory: &Path,
    checkpoint: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> CaseResult {
    let directory = directory.join("checkpoints").join(checkpoint);
    let names = list_names(&directory)?;
    if names != CHECKPOINT_FILES {
        return Err(format!("{checkpoint} contains {names:?}").into());
    }
    for name in names {
        files.insert(format!("{checkpoint}/{name}"), fs::read(directory.join(name))?);
    }
    Ok(())
}

/// Lists the names in a directory, sorted.
pub fn list_names(directory: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
