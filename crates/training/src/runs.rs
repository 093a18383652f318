//! What run directories tell of their runs. Reading changes nothing in them.

mod comparison;
mod diary;
mod record;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::RunError;
use crate::evaluation::SplitName;
use crate::run_dir::RunDir;
pub use comparison::{Comparison, Difference};
pub use record::{RunRecord, RunStatus};

/// A directory in a directory of runs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum RunEntry {
    /// A run.
    Run(Box<RunRecord>),
    /// Something else.
    Unreadable(Unreadable),
}

/// A directory that tells of no run.
#[derive(Debug, Serialize)]
pub struct Unreadable {
    /// Its name.
    pub run: String,
    /// The directory.
    pub path: PathBuf,
    /// `damaged` where there is a run that is not as it was written, else `no run`.
    pub status: &'static str,
    /// What is wrong.
    pub why: String,
}

/// Every directory in `directory`, the run that was started last at the end, what is no run at the
/// begin. Hidden directories are left out.
pub fn list_runs(directory: &Path) -> Result<Vec<RunEntry>, RunError> {
    let read = |error| RunError::read(directory, error);
    let mut listed = Vec::new();
    for entry in fs::read_dir(directory).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.is_dir() && !name(&path).starts_with('.') {
            listed.push(RunEntry::read(path));
        }
    }
    listed.sort_by(RunEntry::order);
    Ok(listed)
}

/// The finished one of `records` with the highest accuracy on `split`; of equals the one with the
/// lower loss, then the first one. Runs without that accuracy are left out.
pub fn best<'a>(
    records: impl IntoIterator<Item = &'a RunRecord>,
    split: SplitName,
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
    fn read(path: PathBuf) -> Self {
        let error = match RunRecord::read(&path) {
            Ok(record) => return Self::Run(Box::new(record)),
            Err(error) => error,
        };
        let (status, why) = match (&error, RunDir::within(&path)) {
            (RunError::NotARun { .. }, Some(_)) => {
                ("no run", format!("it holds runs: `trainer runs list --runs {}`", path.display()))
            }
            (RunError::NotARun { .. }, None) => ("no run", "it has no config.toml".to_owned()),
            _ => ("damaged", error.to_string()),
        };
        Self::Unreadable(Unreadable { run: name(&path), path, status, why })
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

/// The last part of a path.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
