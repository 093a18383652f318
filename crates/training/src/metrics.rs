//! The metrics of a run as files: one row an epoch, in JSON Lines and CSV.
//!
//! They hold no times, so that equal runs write equal bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use dataset::sha256;
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::run_dir::{RunDir, sync_parent};
use crate::scores::Scores;

/// One epoch of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The steps done in all.
    pub step: usize,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The mean loss over the steps of the epoch, each as it was before its update, without any
    /// penalty on the weights.
    pub train_loss: f64,
    /// The share of examples classified rightly in these steps.
    pub train_accuracy: f64,
    /// The mean loss over the validation set after the epoch.
    pub validation_loss: Option<f64>,
    /// The share of the validation set classified rightly after the epoch.
    pub validation_accuracy: Option<f64>,
}

/// What of each file belongs to a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    jsonl: Lines,
    csv: Lines,
}

/// The lines of a file from its begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    bytes: u64,
    /// SHA-256 of what it was before the last line, and that line. So every line is read once.
    sha256: String,
}

/// The open metrics files of a run.
#[derive(Debug)]
pub struct MetricsFiles {
    jsonl: Appender,
    csv: Appender,
}

#[derive(Debug)]
struct Appender {
    path: PathBuf,
    file: File,
    written: Lines,
    is_synced: bool,
}

const HEADER: &str = "epoch,step,learning_rate,train_loss,train_accuracy,\
                      validation_loss,validation_accuracy\n";

/// The validation accuracy of every epoch of `run` that was validated.
pub fn validation_accuracies(run: &RunDir) -> Result<Vec<f64>, RunError> {
    let path = run.metrics_jsonl();
    let text = fs::read_to_string(&path).map_err(|error| RunError::read(&path, error))?;
    Ok(whole_rows(&text).filter_map(|row| row.validation_accuracy).collect())
}

/// The rows up to the first that cannot be read: the last one of a run that is killed or goes on may
/// be half there.
fn whole_rows(text: &str) -> impl Iterator<Item = Row> {
    text.lines().map_while(|line| serde_json::from_str(line).ok())
}

impl Row {
    /// The row of an epoch that ended with these scores.
    pub fn new(
        (epoch, step): (usize, usize),
        learning_rate: f64,
        train: &Scores,
        validation: Option<&Scores>,
    ) -> Self {
        Self {
            epoch,
            step,
            learning_rate,
            train_loss: train.loss(),
            train_accuracy: train.accuracy(),
            validation_loss: validation.map(Scores::loss),
            validation_accuracy: validation.map(Scores::accuracy),
        }
    }

    /// The rows of a run, as far as they can be read. None if there is no file.
    pub fn read_all(run: &RunDir) -> Vec<Self> {
        let text = fs::read_to_string(run.metrics_jsonl()).unwrap_or_default();
        whole_rows(&text).collect()
    }

    fn to_csv(&self) -> String {
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        format!(
            "{},{},{},{},{},{},{}\n",
            self.epoch,
            self.step,
            self.learning_rate,
            self.train_loss,
            self.train_accuracy,
            optional(self.validation_loss),
            optional(self.validation_accuracy),
        )
    }
}

impl MetricsFiles {
    /// Opens the files of a run where `written` leaves them: what was written later is undone.
    pub fn open(run: &RunDir, written: &Written) -> Result<Self, RunError> {
        let (jsonl, csv) = (run.metrics_jsonl(), run.metrics_csv());
        let mut files = Self {
            jsonl: Appender::open(&jsonl, &written.jsonl)?,
            csv: Appender::open(&csv, &written.csv)?,
        };
        sync_parent(&csv).map_err(|error| RunError::write(&csv, error))?;
        if *written == Written::default() {
            files.csv.append(HEADER.as_bytes())?;
        }
        Ok(files)
    }

    /// Appends a row to both.
    pub fn append(&mut self, row: &Row) -> Result<(), RunError> {
        let mut line = serde_json::to_vec(row).map_err(|error| {
            RunError::write(&self.jsonl.path, io::Error::new(io::ErrorKind::InvalidData, error))
        })?;
        line.push(b'\n');
        self.jsonl.append(&line)?;
        self.csv.append(row.to_csv().as_bytes())
    }

    /// Makes what was written durable, and says how much it is.
    pub fn sync(&mut self) -> Result<Written, RunError> {
        Ok(Written { jsonl: self.jsonl.sync()?, csv: self.csv.sync()? })
    }
}

impl Lines {
    /// The `bytes` of a file that are this many, or as many as there are.
    fn of(bytes: &[u8], most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
        let (bytes, _) = bytes.split_at(most);
        let mut lines = Self::default();
        bytes.split_inclusive(|byte| *byte == b'\n').for_each(|line| lines.push(line));
        lines
    }

    fn push(&mut self, line: &[u8]) {
        self.bytes += line.len() as u64;
        self.sha256 = sha256(&[self.sha256.as_bytes(), line].concat());
    }
}

impl Appender {
    fn open(path: &Path, written: &Lines) -> Result<Self, RunError> {
        let found = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            found => found.map_err(|error| RunError::read(path, error))?,
        };
        must_begin_with(path, &found, written)?;
        let open = || {
            let mut file =
                OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(written.bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(|error| RunError::write(path, error))?;
        // What a checkpoint refers to was synced before it.
        let is_synced = found.len() as u64 == written.bytes;
        Ok(Self { path: path.to_owned(), file, written: written.clone(), is_synced })
    }

    fn append(&mut self, line: &[u8]) -> Result<(), RunError> {
        self.file.write_all(line).map_err(|error| RunError::write(&self.path, error))?;
        self.written.push(line);
        self.is_synced = false;
        Ok(())
    }

    fn sync(&mut self) -> Result<Lines, RunError> {
        if !self.is_synced {
            self.file.sync_data().map_err(|error| RunError::write(&self.path, error))?;
            self.is_synced = true;
        }
        Ok(self.written.clone())
    }
}

/// Fails unless what was found in a file begins with what was written to it.
fn must_begin_with(path: &Path, found: &[u8], written: &Lines) -> Result<(), RunError> {
    let (path, length) = (path.to_owned(), found.len() as u64);
    match Lines::of(found, written.bytes) {
        lines if lines == *written => Ok(()),
        lines if lines.bytes < written.bytes => {
            Err(RunError::MetricsShortened { path, length, written: written.bytes })
        }
        _ => Err(RunError::Malformed { path, reason: "its rows are not those written".into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_ends_the_rows_and_is_no_error() {
        let run = tempfile::TempDir::new().unwrap();
        let (directory, _lock) = RunDir::create(Some(&run.path().join("run")), "run").unwrap();
        let row = "{\"epoch\":1,\"step\":9,\"learning_rate\":0.1,\"train_loss\":1.0,\
                   \"train_accuracy\":0.5,\"validation_loss\":1.0,\"validation_accuracy\":0.25}";
        fs::write(directory.metrics_jsonl(), format!("{row}\n{}", row.split_at(40).0)).unwrap();
        assert_eq!(validation_accuracies(&directory).unwrap(), [0.25]);
        assert_eq!(Row::read_all(&directory).len(), 1);
    }
}
