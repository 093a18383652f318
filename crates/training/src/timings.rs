//! How long the epochs of a run took: one JSON object a line. Apart from the metrics, which are
//! equal for equal runs.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::time::Instant;

use serde::Serialize;

use crate::error::RunError;
use crate::run_dir::RunDir;

/// What is timed of an epoch: as much of it as this process trains.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    started: Instant,
    /// The examples of the epoch that an earlier process trained on.
    before: u64,
}

#[derive(Serialize)]
struct Timing {
    epoch: usize,
    examples: u64,
    seconds: f64,
}

impl Stopwatch {
    /// Starts with an epoch of which `before` examples are done.
    pub fn start(before: u64) -> Self {
        Self { started: Instant::now(), before }
    }

    /// Notes that `epoch` ends, with all of its `examples` done.
    pub fn note(self, epoch: usize, examples: u64, run: &RunDir) -> Result<(), RunError> {
        let seconds = self.started.elapsed().as_secs_f64();
        let timing = Timing { epoch, examples: examples - self.before, seconds };
        let path = run.timings();
        let append = || {
            let mut line = serde_json::to_vec(&timing).map_err(io::Error::other)?;
            line.push(b'\n');
            OpenOptions::new().create(true).append(true).open(&path)?.write_all(&line)
        };
        append().map_err(|error| RunError::write(&path, error))
    }
}
