//! Seconds of each epoch, in a file of their own: the metrics are equal for equal runs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::{ArtifactError, RunDir};

/// Time of one epoch, as far as one process trained it: a line of `timings.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochTiming {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Examples trained on in this time.
    pub examples: u64,
    /// Seconds, without validation.
    pub seconds: f64,
}

/// Times an epoch.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    started: Instant,
    examples_before: u64,
}

impl EpochTiming {
    /// Reads the timings of `run`. They are not synced, so lines that cannot be parsed are skipped.
    pub fn read_all(run: &RunDir) -> Vec<Self> {
        let bytes = fs::read(run.timings()).unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

impl Stopwatch {
    /// Starts with an epoch of which an earlier process has trained on `examples_before` examples.
    pub fn start(examples_before: u64) -> Self {
        Self { started: Instant::now(), examples_before }
    }

    /// Appends the time of `epoch`, which is complete with `examples` examples, to the file of
    /// `run`.
    pub fn record(self, epoch: usize, examples: u64, run: &RunDir) -> Result<(), ArtifactError> {
        let seconds = self.started.elapsed().as_secs_f64();
        let timing = EpochTiming { epoch, examples: examples - self.examples_before, seconds };
        let path = run.timings();
        timing.append_to(&path).map_err(|error| ArtifactError::write(&path, error))
    }
}

impl EpochTiming {
    fn append_to(&self, path: &std::path::Path) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        OpenOptions::new().create(true).append(true).open(path)?.write_all(&line)
    }
}
