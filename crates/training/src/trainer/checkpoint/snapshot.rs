use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;

use super::sorted::sorted;
use super::{Checkpoint, record_error};
use crate::error::RunError;
use crate::model::Classifier;
use crate::trainer::TrainingState;

/// The state of a run between two steps.
pub enum Snapshot {
    /// Tensors in main memory, which the run copies before it changes them: they cost no time now,
    /// and are written by another thread.
    Shared(Box<SharedState>),
    /// A copy.
    Copied(Box<Checkpoint>),
}

/// Weights and optimizer of a run.
pub struct SharedState {
    /// Progress of the run.
    pub state: TrainingState,
    /// The trained weights, without autodiff.
    pub classifier: Classifier,
    /// Their moving average.
    pub average: Option<Classifier>,
    /// The optimizer.
    pub optimizer: ModuleOptimizer,
}

impl Snapshot {
    /// Progress of the run.
    pub fn state(&self) -> &TrainingState {
        match self {
            Self::Shared(shared) => &shared.state,
            Self::Copied(checkpoint) => &checkpoint.state,
        }
    }

    /// Name of its checkpoint.
    pub fn name(&self) -> String {
        self.state().checkpoint_name()
    }

    /// Copies the tensors, if they are not copied yet.
    pub fn into_checkpoint(self) -> Result<Checkpoint, RunError> {
        match self {
            Self::Shared(shared) => shared.into_checkpoint(),
            Self::Copied(checkpoint) => Ok(*checkpoint),
        }
    }
}

impl SharedState {
    /// Copies the tensors.
    pub fn into_checkpoint(self) -> Result<Checkpoint, RunError> {
        let current = saved(self.classifier)?;
        let (model, weights) = match self.average {
            Some(average) => (saved(average)?, Some(current)),
            None => (current, None),
        };
        let optimizer = sorted(self.optimizer.into_bytes().map_err(record_error)?)?;
        Ok(Checkpoint { state: self.state, model, weights, optimizer: into_vec(optimizer) })
    }
}

fn saved(classifier: Classifier) -> Result<Vec<u8>, RunError> {
    let bytes = classifier.into_record().into_bytes().map_err(record_error)?;
    Ok(into_vec(bytes))
}

/// The bytes, without a copy if their memory is that of a vector.
fn into_vec(bytes: Bytes) -> Vec<u8> {
    bytes.try_into_vec().unwrap_or_else(|bytes| bytes.to_vec())
}
