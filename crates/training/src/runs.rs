//! Lists, ranks and compares runs by their directories, which are only read.

mod comparison;
mod record;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use artifacts::{ArtifactError, RunDir, RunStatus};
use data::SplitKind;
use models::ModelRegistry;
use serde::Serialize;

pub use crate::config::Difference;
use crate::error::RunError;
pub use comparison::Comparison;
pub use record::RunRecord;

/// A directory in a directory of runs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum RunEntry {
    /// A run.
    Run(Box<RunRecord>),
    /// Something else.
    Unreadable(UnreadableRun),
}

/// A directory without a readable run.
#[derive(Debug, Serialize)]
pub struct UnreadableRun {
    /// Name of the directory.
    pub run: String,
    /// Path of the directory.
    pub path: PathBuf,
    /// `damaged` if there is a run that cannot be read, otherwise `no run`.
    pub status: &'static str,
    /// The reason.
    pub reason: String,
}

/// All directories in `directory` by the start of their run, the latest last; directories without
/// a run come first. Skips hidden directories. Models of runs are built in or in `models`.
pub fn list(directory: &Path, models: &ModelRegistry) -> Result<Vec<RunEntry>, RunError> {
    let read = |error| ArtifactError::read(directory, error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.is_dir() && !name(&path).starts_with('.') {
            entries.push(RunEntry::read(path, models));
        }
    }
    entries.sort_by(RunEntry::order);
    Ok(entries)
}

/// The finished run with the highest accuracy on `split`, on ties the one with the lower loss, then
/// the first one. Skips runs without that accuracy.
pub fn best<'a>(
    records: impl IntoIterator<Item = &'a RunRecord>,
    split: SplitKind,
) -> Option<&'a RunRecord> {
    let finished = records.into_iter().filter(|record| record.status == RunStatus::Finished);
    let scored = finished.filter_map(|record| Some((record.score(split)?, record)));
    let best = scored.reduce(|best, next| if is_better(next.0, best.0) { next } else { best });
    best.map(|(_, record)| record)
}

fn is_better(one: (f64, Option<f64>), other: (f64, Option<f64>)) -> bool {
    let ((accuracy, loss), (other_accuracy, other_loss)) = (one, other);
    match accuracy.total_cmp(&other_accuracy) {
        Ordering::Equal => loss.zip(other_loss).is_some_and(|(loss, other)| loss < other),
        order => order == Ordering::Greater,
    }
}

impl RunEntry {
    fn read(path: PathBuf, models: &ModelRegistry) -> Self {
        let error = match RunRecord::read(&path, models) {
            Ok(record) => return Self::Run(Box::new(record)),
            Err(error) => error,
        };
        let is_run = !matches!(error, RunError::Artifact(ArtifactError::NotARun { .. }));
        let (status, reason) = match RunDir::within(&path) {
            _ if is_run => ("damaged", error.to_string()),
            Some(_) => ("no run", format!("it contains runs: list {}", path.display())),
            None => ("no run", "it has no config.toml".to_owned()),
        };
        Self::Unreadable(UnreadableRun { run: name(&path), path, status, reason })
    }

    fn order(&self, other: &Self) -> Ordering {
        // Runs that were started within the same second: `a-2` before `a-10`.
        self.started().cmp(other.started()).then_with(|| self.numbered().cmp(&other.numbered()))
    }

    fn started(&self) -> &str {
        match self {
            Self::Run(record) => &record.started,
            Self::Unreadable(_) => "",
        }
    }

    fn numbered(&self) -> (&str, usize) {
        let name = match self {
            Self::Run(record) => &record.run,
            Self::Unreadable(other) => &other.run,
        };
        let numbered =
            name.rsplit_once('-').and_then(|(stem, end)| Some((stem, end.parse().ok()?)));
        numbered.unwrap_or((name, 1))
    }
}

/// The last component of a path.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
