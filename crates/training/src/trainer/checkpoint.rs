//! Checkpoints: one directory each, committed by a rename, so that a checkpoint is complete or does
//! not exist.

mod files;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;

use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use support::panics;

use super::state::TrainingState;
use crate::error::RunError;
use crate::model::Classifier;

pub use snapshot::{SharedState, Snapshot};
pub use store::Checkpoints;
pub use writer::CheckpointWriter;

/// A checkpoint in memory, with valid checksums.
#[derive(Debug)]
pub struct Checkpoint {
    /// Progress of the run.
    pub state: TrainingState,
    model: Vec<u8>,
    /// The trained weights, if the model is an average of them.
    weights: Option<Vec<u8>>,
    optimizer: Vec<u8>,
}

impl Checkpoint {
    /// Reads the checkpoint in `directory`, of any run, and verifies its checksums.
    pub fn read(directory: &Path) -> Result<Self, RunError> {
        files::read(directory)
    }

    /// Loads the evaluated model into `classifier`, which must have the same architecture.
    pub fn load_model(&self, classifier: Classifier) -> Result<Classifier, RunError> {
        load_record(classifier, &self.model)
    }

    /// Loads the trained weights into `classifier`.
    pub fn load_weights(&self, classifier: Classifier) -> Result<Classifier, RunError> {
        load_record(classifier, self.weights.as_ref().unwrap_or(&self.model))
    }

    /// Loads the state of the optimizer into `optimizer`.
    pub fn load_optimizer(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer, RunError> {
        let bytes = Bytes::from_bytes_vec(self.optimizer.clone());
        let record = OptimizerRecord::from_bytes(bytes).map_err(record_error)?;
        let expected = record.len();
        // Burn panics on a record of another optimizer, and silently skips unknown tensors.
        let (optimizer, found) = panics::catch(|| {
            let optimizer = optimizer.load_record(record);
            let found = optimizer.to_record().len();
            (optimizer, found)
        })
        .map_err(RunError::Record)?;
        if found == expected {
            return Ok(optimizer);
        }
        Err(RunError::Record(format!(
            "the optimizer loaded {found} of {expected} tensors: was the checkpoint written with another optimizer?"
        )))
    }

    /// The evaluated model in Burn's format.
    pub fn into_model_bytes(self) -> Vec<u8> {
        self.model
    }
}

/// Loads `bytes` in Burn's format into `classifier`, which must have the same architecture.
pub fn load_record(classifier: Classifier, bytes: &[u8]) -> Result<Classifier, RunError> {
    ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes.to_vec()))
        .and_then(|record| classifier.try_load_record(record))
        .map_err(record_error)
}

fn record_error(error: RecordError) -> RunError {
    RunError::Record(error.to_string())
}
