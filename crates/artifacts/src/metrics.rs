//! The metrics of a run: one row per reported epoch, in JSON Lines and CSV. They hold no times, so
//! equal runs write equal bytes; the seconds of each epoch are in a file of their own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use support::durable_fs::sync_parent;
use support::{memory, sha256};

use crate::{ArtifactError, RunDir};

/// Metrics of one epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Optimizer steps so far.
    pub step: usize,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean loss over the steps of the epoch, each before its update, without penalties.
    pub train_loss: f64,
    /// Accuracy over these steps, 0 to 1.
    pub train_accuracy: f64,
    /// Mean Euclidean norm of the gradients of these steps, before clipping.
    #[serde(default)]
    pub gradient_norm: Option<f64>,
    /// Mean loss on the validation set after the epoch.
    pub validation_loss: Option<f64>,
    /// Accuracy on the validation set after the epoch, 0 to 1.
    pub validation_accuracy: Option<f64>,
    /// Mean F1 of the classes, 0 to 1, as [`ClassScore::macro_f1`](crate::ClassScore::macro_f1).
    #[serde(default)]
    pub validation_macro_f1: Option<f64>,
    /// Mean recall of the classes, 0 to 1.
    #[serde(default)]
    pub validation_balanced_accuracy: Option<f64>,
    /// Share of the examples whose class is among the five most probable, 0 to 1; `None` if there are
    /// not more classes.
    #[serde(default)]
    pub validation_top_5: Option<f64>,
    /// Losses of the steps since the last row, or means of equal numbers of steps if there are more
    /// than 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step_losses: Vec<f64>,
}

/// The part of each metrics file that belongs to a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommittedMetrics {
    jsonl: CommittedLines,
    csv: CommittedLines,
}

/// The first lines of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommittedLines {
    bytes: u64,
    /// SHA-256 of the previous value and the last line, so that each line is hashed once.
    sha256: String,
}

/// The open metrics files of a run.
#[derive(Debug)]
pub struct MetricsFiles {
    jsonl: Appender,
    csv: Appender,
}

/// A metrics file with rows that may not be on the disk yet.
#[derive(Debug)]
pub struct UnsyncedFile {
    path: PathBuf,
    file: File,
}

#[derive(Debug)]
struct Appender {
    path: PathBuf,
    file: File,
    written: CommittedLines,
    is_synced: bool,
}

const HEADER: &str = "epoch,step,learning_rate,train_loss,train_accuracy,\
                      validation_loss,validation_accuracy,gradient_norm,validation_macro_f1,\
                      validation_balanced_accuracy,validation_top_5\n";

impl EpochMetrics {
    /// Reads the metrics of `run`, up to the first row that cannot be parsed: the last row of a
    /// run that was killed or is running may be incomplete. Empty if there is no file.
    pub fn read_all(run: &RunDir) -> Result<Vec<Self>, ArtifactError> {
        let path = run.metrics_jsonl();
        match fs::read_to_string(&path) {
            Ok(text) => {
                Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(ArtifactError::read(&path, error)),
        }
    }

    fn to_csv(&self) -> String {
        let Self { epoch, step, learning_rate, train_loss, train_accuracy, .. } = self;
        // New columns follow the old ones, so that a file that was begun without them stays readable.
        let optional = [
            self.validation_loss,
            self.validation_accuracy,
            self.gradient_norm,
            self.validation_macro_f1,
            self.validation_balanced_accuracy,
            self.validation_top_5,
        ];
        let optional = optional.map(|value| value.map_or(String::new(), |value| value.to_string()));
        let optional = optional.join(",");
        format!("{epoch},{step},{learning_rate},{train_loss},{train_accuracy},{optional}\n")
    }
}

impl MetricsFiles {
    /// Opens the metrics files of `run` and truncates them to what was `committed`.
    pub fn open(run: &RunDir, committed: &CommittedMetrics) -> Result<Self, ArtifactError> {
        let (jsonl, csv) = (run.metrics_jsonl(), run.path().join("metrics.csv"));
        let mut files = Self {
            jsonl: Appender::open(&jsonl, &committed.jsonl)?,
            csv: Appender::open(&csv, &committed.csv)?,
        };
        sync_parent(&csv).map_err(|error| ArtifactError::write(&csv, error))?;
        if *committed == CommittedMetrics::default() {
            files.csv.append(HEADER.as_bytes())?;
        }
        Ok(files)
    }

    /// Appends a row to both files.
    pub fn append(&mut self, row: &EpochMetrics) -> Result<(), ArtifactError> {
        let line = serde_json::to_string(row)
            .map_err(|error| ArtifactError::write(&self.jsonl.path, error.into()))?;
        self.jsonl.append(format!("{line}\n").as_bytes())?;
        self.csv.append(row.to_csv().as_bytes())
    }

    /// The extent of the rows.
    pub fn extent(&self) -> CommittedMetrics {
        CommittedMetrics { jsonl: self.jsonl.written.clone(), csv: self.csv.written.clone() }
    }

    /// The files with rows that were appended since the last call, to be synced by any thread.
    pub fn unsynced(&mut self) -> Result<Vec<UnsyncedFile>, ArtifactError> {
        let unsynced = [&mut self.jsonl, &mut self.csv].map(Appender::unsynced);
        unsynced.into_iter().filter_map(Result::transpose).collect()
    }
}

impl UnsyncedFile {
    /// Makes the rows durable.
    pub fn sync(&self) -> Result<(), ArtifactError> {
        self.file.sync_data().map_err(|error| ArtifactError::write(&self.path, error))
    }
}

impl CommittedLines {
    /// The lines in the first `length` bytes of a file.
    fn of(bytes: &[u8], length: u64) -> Self {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
        let (bytes, _) = bytes.split_at(length);
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
    fn open(path: &Path, written: &CommittedLines) -> Result<Self, ArtifactError> {
        let found = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            found => found.map_err(|error| ArtifactError::read(path, error))?,
        };
        // It must begin with the lines that were written.
        let lines = CommittedLines::of(&found, written.bytes);
        if lines.bytes < written.bytes {
            let (length, committed) = (found.len() as u64, written.bytes);
            return Err(ArtifactError::MetricsTruncated { path: path.into(), length, committed });
        }
        if lines != *written {
            let reason = "its rows differ from those that were written";
            return Err(ArtifactError::damaged(path, reason));
        }
        let open_truncated = || {
            let mut file =
                OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(written.bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open_truncated().map_err(|error| ArtifactError::write(path, error))?;
        // Rows that a checkpoint refers to were synced before it.
        let is_synced = found.len() as u64 == written.bytes;
        Ok(Self { path: path.to_owned(), file, written: written.clone(), is_synced })
    }

    fn append(&mut self, line: &[u8]) -> Result<(), ArtifactError> {
        self.file.write_all(line).map_err(|error| ArtifactError::write(&self.path, error))?;
        self.written.push(line);
        self.is_synced = false;
        Ok(())
    }

    fn unsynced(&mut self) -> Result<Option<UnsyncedFile>, ArtifactError> {
        if mem::replace(&mut self.is_synced, true) {
            return Ok(None);
        }
        let file =
            self.file.try_clone().map_err(|error| ArtifactError::write(&self.path, error))?;
        Ok(Some(UnsyncedFile { path: self.path.clone(), file }))
    }
}

const TIMINGS: &str = "timings.jsonl";

/// Time of one epoch, as far as one process trained it: a line of `timings.jsonl`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochTiming {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Examples trained on in this time.
    pub examples: u64,
    /// Seconds, without evaluation and checkpoints.
    pub seconds: f64,
    /// Where they went.
    #[serde(default)]
    pub phases: Phases,
    /// Seconds of processor time, of all threads, with evaluation and checkpoints.
    #[serde(default)]
    pub processor_seconds: Option<f64>,
    /// Peak resident memory of the process so far, in bytes.
    #[serde(default)]
    pub peak_memory: Option<u64>,
    /// True in the first row of a process that resumed the run.
    #[serde(default)]
    pub is_resumed: bool,
}

/// Seconds that the training thread spent on each part of an epoch. On a graphics card work is queued,
/// and the time of waiting for it falls to the part that reads a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phases {
    /// Waiting for batches.
    pub load: f64,
    /// Forward pass and loss.
    pub forward: f64,
    /// Backward pass.
    pub backward: f64,
    /// Update of the weights.
    pub optimizer: f64,
    /// Scores on the validation set.
    pub evaluation: f64,
    /// Checkpoints, as far as the training waited.
    pub checkpoint: f64,
}

/// Times an epoch and its parts.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    started: Instant,
    part_started: Instant,
    processor_before: Option<f64>,
    examples_before: u64,
    timing: EpochTiming,
}

impl EpochTiming {
    /// Reads the timings of `run`. They are not synced, so lines that cannot be parsed are skipped.
    pub fn read_all(run: &RunDir) -> Vec<Self> {
        let bytes = fs::read(run.path().join(TIMINGS)).unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

impl Stopwatch {
    /// Starts with an epoch of which an earlier process has trained on `examples_before` examples.
    pub fn start(examples_before: u64, is_resumed: bool) -> Self {
        let timing = EpochTiming { is_resumed, ..EpochTiming::default() };
        let (now, processor_before) = (Instant::now(), processor_ticks());
        Self { started: now, part_started: now, processor_before, examples_before, timing }
    }

    /// Starts a part of the epoch.
    pub fn start_part(&mut self) {
        self.part_started = Instant::now();
    }

    /// Adds the time of a part to one of the phases, and starts the next part.
    pub fn end_part(&mut self, phase: impl FnOnce(&mut Phases) -> &mut f64) {
        let now = Instant::now();
        *phase(&mut self.timing.phases) += (now - self.part_started).as_secs_f64();
        self.part_started = now;
    }

    /// Ends the training of `epoch`, which is complete with `examples` examples.
    pub fn end_training(&mut self, epoch: usize, examples: u64) {
        self.timing.epoch = epoch;
        self.timing.examples = examples - self.examples_before;
        self.timing.seconds = self.started.elapsed().as_secs_f64() - self.timing.phases.checkpoint;
    }

    /// Appends the times to the file of `run`.
    pub fn record(&self, run: &RunDir) -> Result<(), ArtifactError> {
        let processor = processor_ticks().zip(self.processor_before);
        let timing = EpochTiming {
            processor_seconds: processor.map(|(now, before)| (now - before) / 100.0),
            peak_memory: memory::peak(),
            ..self.timing
        };
        let path = run.path().join(TIMINGS);
        let append = || {
            let line = serde_json::to_string(&timing)?;
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(format!("{line}\n").as_bytes())
        };
        append().map_err(|error| ArtifactError::write(&path, error))
    }
}

/// Processor time of all threads of this process in ticks of 10 ms; `None` if the system does not
/// report it.
fn processor_ticks() -> Option<f64> {
    let statistics = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the name of the program in parentheses, may contain spaces. Fields 14 and 15 are
    // user and system time in ticks.
    let (_, fields) = statistics.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    Some(ticks.next()?.ok()? + ticks.next()?.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_last_row_is_ignored() {
        let run = tempfile::TempDir::new().unwrap();
        let (directory, _lock) = RunDir::create(&run.path().join("run")).unwrap();
        assert_eq!(EpochMetrics::read_all(&directory).unwrap(), []);
        let row = "{\"epoch\":1,\"step\":9,\"learning_rate\":0.1,\"train_loss\":1.0,\
                   \"train_accuracy\":0.5,\"validation_loss\":1.0,\"validation_accuracy\":0.25}";
        fs::write(directory.metrics_jsonl(), format!("{row}\n{}", row.split_at(40).0)).unwrap();
        let rows = EpochMetrics::read_all(&directory).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.validation_accuracy).collect::<Vec<_>>(),
            [Some(0.25)]
        );
    }
}
