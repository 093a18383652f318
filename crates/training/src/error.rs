use std::path::PathBuf;

use ::config::ConfigError;
use artifacts::ArtifactError;
use data::{DatasetError, SplitKind};
use models::UnknownModel;

use crate::device::DeviceError;

/// An error that prevents a run from starting, continuing or being used: the cause, then a remedy.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are named in the messages")]
pub enum RunError {
    /// The config is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data set cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A run directory or a file in it cannot be used.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The model of the config is not part of this program.
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    /// The config or the command line does not fit the data, the model or the run.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be used, or anything else that the command line is not the cause of.
    #[error("{0}")]
    Other(String),
    /// The run does not fit into memory.
    #[error("the run needs {}\n  reduce the model or the batch size, or close other programs", shortage(*needed, "of memory", *available, "available"))]
    TooLarge { needed: Option<u64>, available: u64 },
    /// A file is no model that predicts alone.
    #[error("{} is not a model: {reason}\n  give a run, or its file `best_model.bpk`", path.display())]
    NotAModel { path: PathBuf, reason: String },
    /// The run has no checkpoint yet.
    #[error("{} has no checkpoint yet\n  resume the run first", path.display())]
    NoCheckpoint { path: PathBuf },
    /// The config is incompatible with the run to resume.
    #[error("the config differs from that of {}:\n  {}\n  resume without these changes, or start a new run, from the weights of this one with `init_from`", run.display(), differences.join("\n  "))]
    ResumeConflict { run: PathBuf, differences: Vec<String> },
    /// The data differ from those of the run to resume.
    #[error("the {part} set differs from the one {} was trained on (SHA-256):\n  now   {now}\n  then  {then}\n  restore the data, or start a new run", run.display())]
    DataChanged { run: PathBuf, part: String, now: String, then: String },
    /// Training diverged.
    #[error(
        "the {quantity} {value} in epoch {epoch}, batch {batch} (step {step}): the first tensor that is not finite is {tensor}\n  lower the learning rate, clip the gradients or check the data; {}", checkpoint(*has_checkpoint)
    )]
    NonFinite {
        quantity: &'static str,
        value: f64,
        tensor: String,
        epoch: usize,
        batch: usize,
        step: usize,
        has_checkpoint: bool,
    },
    /// A batch could not be loaded.
    #[error(
        "batch {batch} of epoch {epoch} could not be loaded: {reason}\n  resume the run; if it happens again, check the data"
    )]
    NotLoaded { epoch: usize, batch: usize, reason: String },
    /// Burn panicked: the device is lost or out of memory, or there is a bug.
    #[error(
        "the training failed on {device} in epoch {epoch}, batch {batch}: {reason}\n  {}: resume the run, on another device if this one is lost or out of memory", checkpoint(*has_checkpoint)
    )]
    Panicked { device: String, epoch: usize, batch: usize, reason: String, has_checkpoint: bool },
    /// Fewer workers are left than the config demands.
    #[error(
        "too few workers are left\n  start workers again and resume the run, with any number of them or without"
    )]
    TooFewWorkers,
    /// Burn rejected a record.
    #[error(
        "the weights or the optimizer state cannot be saved or loaded: {0}\n  the checkpoint does not match this config or this version of the trainer"
    )]
    Record(String),
    /// The observer of the training failed.
    #[error(
        "the metrics could not be processed: {0}\n  resume the run; without the dashboard if it happens again"
    )]
    Observer(String),
    /// The run has no such part of the data.
    #[error("{} has no {split} set\n  evaluate another split, or train with `split.{split}_fraction`", run.display())]
    NoSplit { run: PathBuf, split: SplitKind },
    /// `init_from` does not name weights.
    #[error("cannot start from {}: {reason}\n  `init_from` is the directory of a run or of a checkpoint, or a file of weights: `best_model.bpk`, safetensors, or of PyTorch's `torch.save`", path.display())]
    NotWeights { path: PathBuf, reason: String },
    /// The model classifies features, not images.
    #[error("{} was trained on points of {features} features, not on images\n  give it points: numbers separated by commas", run.display())]
    NotImages { run: PathBuf, features: usize },
    /// The model classifies images, not features.
    #[error("{} was trained on images, not on points\n  give it image files", run.display())]
    NotPoints { run: PathBuf },
    /// A point has another number of features.
    #[error("{} was trained on points of {expected} features, and a point has {given}\n  give {expected} numbers separated by commas", run.display())]
    FeatureCount { run: PathBuf, expected: usize, given: usize },
}

/// Two sizes in bytes, with enough digits to tell them apart; `None` is more than 64 bits can
/// express.
pub fn shortage(needed: Option<u64>, what: &str, available: u64, state: &str) -> String {
    let (unit, name) =
        if needed.is_some_and(|needed| needed < 1e9 as u64) { (1e6, "MB") } else { (1e9, "GB") };
    let text = |size: u64, digits: usize| format!("{:.digits$} {name}", size as f64 / unit);
    let digits = |needed| (2..9).find(|&digits| text(needed, digits) != text(available, digits));
    let digits = needed.and_then(digits).unwrap_or(2);
    let needed = needed.map_or("more than 18 billion GB".to_owned(), |size| text(size, digits));
    format!("{needed} {what}, but only {} are {state}", text(available, digits))
}

/// What is left of a run that failed.
fn checkpoint(exists: bool) -> &'static str {
    if exists { "the last checkpoint is intact" } else { "there is no checkpoint yet" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_a_shortage_differ_in_their_digits() {
        let message =
            |needed, available| shortage(Some(needed), "of memory", available, "available");
        assert_eq!(
            message(12_345_678, 12_345_000),
            "12.346 MB of memory, but only 12.345 MB are available"
        );
        assert_eq!(
            message(2_500_000_000, 1_000_000_000),
            "2.50 GB of memory, but only 1.00 GB are available"
        );
        assert!(
            shortage(None, "of memory", 1, "available")
                .starts_with("more than 18 billion GB of memory")
        );
    }
}
