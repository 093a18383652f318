//! Messages between coordinator and worker, as MessagePack.

use artifacts::DataIdentity;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault_injection::Fault;
use crate::trainer::{PartIndex, RunningStatistics};

/// What a coordinator asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Get ready for a run. The answer has the number of the run on this worker.
    Prepare(Box<Preparation>),
    /// Compute a part, with the weights that are sent.
    Part {
        /// Number of the run on this worker.
        run: u64,
        index: PartIndex,
        statistics: RunningStatistics,
        fault: Fault,
    },
}

/// What a worker must have to compute parts of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Version of the program and the commit that it was built from.
    pub program: String,
    /// The resolved config as TOML.
    pub config: String,
    /// The data that it has there.
    pub data: DataIdentity,
}

/// What a worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It is ready for the run with this number.
    Ready { run: u64, device: String, threads: usize },
    /// The part is computed: the numbers beside this message.
    Computed,
    /// It cannot work for this run: the cause, then a remedy.
    Refused(String),
    /// A batch could not be loaded.
    NotLoaded(String),
    /// The computation panicked.
    Panicked(String),
    /// It works for another run now.
    Replaced,
}

/// Version of this program and the commit it was built from, which worker and coordinator must share.
pub fn program(commit: Option<&str>) -> String {
    format!("{} ({})", env!("CARGO_PKG_VERSION"), commit.unwrap_or("unknown commit"))
}

/// The bytes of a message.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(message).unwrap_or_default()
}

/// The message of these bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
}
