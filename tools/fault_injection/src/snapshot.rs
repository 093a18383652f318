//! The reproducible files of a finished run. A directory with any other file is rejected.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use artifacts::{RunDir, Summary};

use crate::tally::{CaseResult, require};

/// Contents of the files of a run that do not depend on interruptions: config, metrics, scores,
/// plots, best model, the newest checkpoint and that of the best epoch. Which other checkpoints
/// are kept depends on the point of interruption.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, Vec<u8>>);

/// Files with times, process ids or events, which differ between equal runs, and directories.
const VARIABLE_FILES: &str = "\
    checkpoints environment.json lock memory.png memory.svg processor.png processor.svg report.html \
    run.log status.json summary.json tensorboard throughput.png throughput.svg timings.jsonl";

/// Files that are equal for equal runs.
const REPRODUCIBLE_FILES: &str = "\
    accuracy.png accuracy.svg best_model.bpk calibration.png calibration.svg config.toml \
    confusion.png confusion.svg curves.png curves.svg evaluation-test.json evaluation-train.json \
    gradient_norm.png gradient_norm.svg learning_rate.png learning_rate.svg loss.png loss.svg \
    metrics.csv metrics.jsonl precision_recall.png precision_recall.svg roc.png roc.svg \
    test_predictions.json";

pub const CHECKPOINT_FILES: [&str; 4] = ["SHA256SUMS", "model.bpk", "optimizer.bpk", "state.json"];

/// Fails if a run directory contains an unexpected file, or other checkpoints than at most
/// `keep_last` in addition to that of the best epoch. Returns the names of its checkpoints.
pub fn require_clean(directory: &Path, keep_last: usize) -> CaseResult<Vec<String>> {
    let mut unexpected = list_names(directory)?;
    unexpected.retain(|name| !is_in(VARIABLE_FILES, name) && !is_in(REPRODUCIBLE_FILES, name));
    let checkpoints = list_names(&directory.join("checkpoints"))?;
    let are_named = checkpoints.iter().all(|name| name.starts_with("epoch-"));
    let is_clean = unexpected.is_empty() && are_named && checkpoints.len() <= keep_last + 1;
    require::<String>(is_clean, || {
        format!("unexpected files {unexpected:?} or checkpoints {checkpoints:?}")
    })?;
    Ok(checkpoints)
}

fn is_in(files: &str, name: &str) -> bool {
    files.split(' ').any(|file| file == name)
}

impl Snapshot {
    /// Reads the finished run in `directory`, which must be clean.
    pub fn read(directory: &Path, keep_last: usize) -> CaseResult<Self> {
        let newest = require_clean(directory, keep_last)?.pop().ok_or("no checkpoint")?;
        let summary = Summary::read(&RunDir::open(directory)?)?.ok_or("no summary")?;
        let mut names = list_names(directory)?;
        names.retain(|name| is_in(REPRODUCIBLE_FILES, name));
        for checkpoint in summary.best.iter().map(|best| &best.checkpoint).chain([&newest]) {
            let found = list_names(&directory.join("checkpoints").join(checkpoint))?;
            require::<String>(found == CHECKPOINT_FILES, || format!("{checkpoint}: {found:?}"))?;
            names.extend(found.iter().map(|name| format!("checkpoints/{checkpoint}/{name}")));
        }
        let read = |name: String| fs::read(directory.join(&name)).map(|bytes| (name, bytes));
        let files = names.into_iter().map(read).collect::<io::Result<_>>()?;
        Ok(Self(files))
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    pub fn require_equal(&self, other: &Self) -> CaseResult {
        let names = self.0.keys().chain(other.0.keys());
        let mut differing: Vec<_> =
            names.filter(|name| self.0.get(*name) != other.0.get(*name)).collect();
        differing.sort_unstable();
        differing.dedup();
        require(differing.is_empty(), || format!("{differing:?} differ"))
    }
}

pub fn list_names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Files by path below a directory: their bytes, or `None` for a directory.
pub type Tree = BTreeMap<String, Option<Vec<u8>>>;

/// Reads all files below `directory` into `tree`, where its own path is `path`.
pub fn read_tree(directory: &Path, path: &str, tree: &mut Tree) -> io::Result<()> {
    tree.insert(path.to_owned(), None);
    for name in list_names(directory)? {
        let (below, path) = (directory.join(&name), format!("{path}/{name}"));
        if below.is_dir() {
            read_tree(&below, &path, tree)?;
        } else {
            tree.insert(path, Some(fs::read(below)?));
        }
    }
    Ok(())
}

/// Writes files into a directory, which is created.
pub fn write_tree(tree: &Tree, directory: &Path) -> io::Result<()> {
    for (path, bytes) in tree {
        let path = directory.join(path.trim_start_matches('/'));
        match bytes {
            Some(bytes) => fs::write(path, bytes)?,
            None => fs::create_dir_all(path)?,
        }
    }
    Ok(())
}
