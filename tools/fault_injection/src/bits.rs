//! What a run leaves: what must be there whatever happened to it, and nothing else beside it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

/// The files of a run that do not depend on when and how often it was stopped, and their bytes:
/// configs, metrics, scores, best model, the newest checkpoint and that of the best epoch. The
/// others that are kept depend on where it was stopped.
#[derive(Debug, PartialEq, Eq)]
pub struct Bits(BTreeMap<String, Vec<u8>>);

/// The files that hold times, or what happened: they differ between equal runs.
const DIARIES: [&str; 8] = [
    "environment.json",
    "lock",
    "report.html",
    "run.log",
    "summary.json",
    "throughput.png",
    "throughput.svg",
    "timings.jsonl",
];

/// What the trainer draws, from the same numbers.
const OTHERS: [&str; 19] = [
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
    "findings.json",
    "learning_rate.png",
    "learning_rate.svg",
    "loss.png",
    "loss.svg",
    "metrics.csv",
    "metrics.jsonl",
];

/// Directories: checkpoints are looked into; events hold times.
const DIRECTORIES: [&str; 2] = ["checkpoints", "tensorboard"];

/// The files of a checkpoint.
pub const CHECKPOINT: [&str; 4] = ["SHA256SUMS", "model.bpk", "optimizer.bpk", "state.json"];

/// Whether a run leaves something of this name.
pub fn is_of_a_run(name: &str) -> bool {
    DIARIES.contains(&name) || OTHERS.contains(&name) || DIRECTORIES.contains(&name)
}

impl Bits {
    /// Those of the finished run in `directory`, which keeps at most so many checkpoints beside
    /// the best. Fails if there is anything that is not the trainer's to leave.
    pub fn of(directory: &Path, keep_last: usize) -> Result<Self, Box<dyn Error>> {
        let mut bits = BTreeMap::new();
        for name in names(directory)? {
            match name.as_str() {
                name if DIRECTORIES.contains(&name) => {}
                name if DIARIES.contains(&name) => {}
                name if OTHERS.contains(&name) => {
                    bits.insert(name.to_owned(), fs::read(directory.join(name))?);
                }
                stray => return Err(format!("a stray {stray}").into()),
            }
        }
        let checkpoints = names(&directory.join("checkpoints"))?;
        must_be_few(&checkpoints, keep_last)?;
        let newest = checkpoints.last().ok_or("no checkpoint")?;
        let best = best(directory)?;
        for checkpoint in best.iter().chain([newest]) {
            take_checkpoint(directory, checkpoint, &mut bits)?;
        }
        Ok(Self(bits))
    }

    /// All but the file called `name`.
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Fails if `other` has other files, or other bytes in them.
    pub fn must_equal(&self, other: &Self) -> Result<(), String> {
        let names = self.0.keys().chain(other.0.keys());
        let mut differing: Vec<_> =
            names.filter(|name| self.0.get(*name) != other.0.get(*name)).collect();
        differing.sort_unstable();
        differing.dedup();
        match differing.is_empty() {
            true => Ok(()),
            false => Err(format!("{differing:?} differ")),
        }
    }
}

fn must_be_few(checkpoints: &[String], keep_last: usize) -> Result<(), String> {
    let strays: Vec<_> = checkpoints.iter().filter(|name| !name.starts_with("epoch-")).collect();
    match strays.is_empty() && checkpoints.len() <= keep_last + 1 {
        true => Ok(()),
        false => Err(format!("the checkpoints {checkpoints:?}")),
    }
}

fn best(directory: &Path) -> Result<Option<String>, Box<dyn Error>> {
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(directory.join("summary.json"))?)?;
    Ok(summary.pointer("/best/checkpoint").and_then(|name| name.as_str()).map(str::to_owned))
}

fn take_checkpoint(
    directory: &Path,
    checkpoint: &str,
    bits: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Box<dyn Error>> {
    let directory = directory.join("checkpoints").join(checkpoint);
    let files = names(&directory)?;
    if files != CHECKPOINT {
        return Err(format!("{checkpoint} of {files:?}").into());
    }
    for file in files {
        bits.insert(format!("{checkpoint}/{file}"), fs::read(directory.join(file))?);
    }
    Ok(())
}

/// The names in a directory, sorted.
pub fn names(directory: &Path) -> std::io::Result<Vec<String>> {
    let entries = fs::read_dir(directory)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<std::io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}
