use std::process;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{ArtifactError, FORMAT, RunDir, read_json_if_exists, write_json};

/// The state of a run as its last process recorded it: `status.json`.
///
/// A process that is killed records nothing. A run whose status is `running` and whose lock is
/// free was interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusFile {
    /// Format of the run directory.
    pub format: u32,
    /// State of the run.
    pub status: StatusKind,
    /// The error of a failed run, or the signal that stopped it.
    pub reason: Option<String>,
    /// Time of the change to this state, RFC 3339 in UTC.
    pub since: String,
    /// Id of the process that recorded it.
    pub process: u32,
    /// Seconds that all processes so far have trained and evaluated.
    #[serde(default)]
    pub seconds: f64,
}

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// A process trains the run.
    Running,
    /// The last epoch is done or training stopped early, and the model was evaluated.
    Finished,
    /// Stopped on request, with a checkpoint.
    Stopped,
    /// Ended with an error.
    Failed,
}

impl StatusFile {
    /// Records that this process has brought `run` into a state, `seconds` after its start, without
    /// interruptions.
    pub fn write(
        run: &RunDir,
        status: StatusKind,
        reason: Option<String>,
        seconds: f64,
    ) -> Result<(), ArtifactError> {
        let since = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let file = Self { format: FORMAT, status, reason, since, process: process::id(), seconds };
        write_json(&run.status(), &file)
    }

    /// Reads the status of `run`; `None` if the run has not started.
    pub fn read(run: &RunDir) -> Result<Option<Self>, ArtifactError> {
        read_json_if_exists(&run.status())
    }
}
