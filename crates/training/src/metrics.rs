//! The metrics of a run as files: one row an epoch, in JSON Lines and CSV.
//!
//! They hold no times, so that equal runs write equal bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::run_dir::RunDir;
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

/// How many bytes of each file belong to a state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    jsonl: u64,
    csv: u64,
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
    written: u64,
}

const HEADER: &str = "epoch,step,learning_rate,train_loss,train_accuracy,\
                      validation_loss,validation_accuracy\n";

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
    pub fn open(run: &RunDir, written: Written) -> Result<Self, RunError> {
        let mut files = Self {
            jsonl: Appender::open(&run.metrics_jsonl(), written.jsonl)?,
            csv: Appender::open(&run.metrics_csv(), written.csv)?,
        };
        if written == Written::default() {
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
    pub fn sync(&self) -> Result<Written, RunError> {
        Ok(Written { jsonl: self.jsonl.sync()?, csv: self.csv.sync()? })
    }
}

impl Appender {
    fn open(path: &Path, written: u64) -> Result<Self, RunError> {
        let open = || {
            let mut file =
                OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(written)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
        if length < written {
            return Err(RunError::MetricsShortened { path: path.to_owned(), length, written });
        }
        let file = open().map_err(|error| RunError::write(path, error))?;
        Ok(Self { path: path.to_owned(), file, written })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        self.file.write_all(bytes).map_err(|error| RunError::write(&self.path, error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn sync(&self) -> Result<u64, RunError> {
        self.file.sync_data().map_err(|error| RunError::write(&self.path, error))?;
        Ok(self.written)
    }
}
