use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;
use burn_pack::{Reader, Writer};

use super::{Checkpoint, record_error};
use crate::error::RunError;
use crate::model::Classifier;
use crate::trainer::TrainingState;

/// The state of a run between two steps.
pub enum Snapshot {
    /// Tensors in main memory, which the run copies before it changes them: they cost no time now,
    /// and are written by another thread.
    Shared(Box<SharedState>),
    Copied(Box<Checkpoint>),
}

pub struct SharedState {
    pub state: TrainingState,
    /// The trained weights, without autodiff.
    pub classifier: Classifier,
    pub average: Option<Classifier>,
    pub optimizer: ModuleOptimizer,
}

impl Snapshot {
    pub fn state(&self) -> &TrainingState {
        match self {
            Self::Shared(shared) => &shared.state,
            Self::Copied(checkpoint) => &checkpoint.state,
        }
    }

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
    pub fn into_checkpoint(self) -> Result<Checkpoint, RunError> {
        let current = saved(self.classifier)?;
        let (model, weights) = match self.average {
            Some(average) => (saved(average)?, Some(current)),
            None => (current, None),
        };
        let optimizer = self.optimizer.into_bytes().map_err(record_error)?;
        let optimizer = sorted(optimizer).map_err(|error| RunError::Record(error.to_string()))?;
        Ok(Checkpoint { state: self.state, model, weights, optimizer: into_vec(optimizer) })
    }
}

fn saved(classifier: Classifier) -> Result<Vec<u8>, RunError> {
    let bytes = classifier.into_record().into_bytes().map_err(record_error)?;
    Ok(into_vec(bytes))
}

/// `record` with its tensors sorted by name: Burn keeps them in a hash map, whose order changes from
/// process to process.
fn sorted(record: Bytes) -> Result<Bytes, burn_pack::Error> {
    let reader = Reader::from_bytes(record)?;
    let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
    let mut tensors = reader.into_tensors()?;
    tensors.sort_by(|one, other| one.name.cmp(&other.name));
    let mut writer = Writer::new(tensors);
    for (key, value) in &scalars {
        writer = writer.with_scalar(key, *value);
    }
    for (key, value) in &metadata {
        writer = writer.with_metadata(key, value);
    }
    writer.into_bytes()
}

/// The bytes, without a copy if their memory is that of a vector.
fn into_vec(bytes: Bytes) -> Vec<u8> {
    bytes.try_into_vec().unwrap_or_else(|bytes| bytes.to_vec())
}
