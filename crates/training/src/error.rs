use std::io;
use std::path::{Path, PathBuf};

use ::config::ConfigError;
use dataset::DatasetError;

use crate::device::DeviceError;

/// Why a run cannot start, go on or be used. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are the words of the messages above them")]
pub enum RunError {
    /// The config is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data set cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A file of the run cannot be written.
    #[error("cannot write {}: {source}\n  check the space on the disk and the permissions; what was committed before is intact", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// A file of the run cannot be read.
    #[error("cannot read {}: {source}\n  check that it is there and its permissions", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// A file of the run is not what was written.
    #[error("{} is damaged: {reason}\n  put back the run directory from a backup, or start a new run", path.display())]
    Malformed { path: PathBuf, reason: String },
    /// The directory for a new run exists.
    #[error("{} exists\n  continue that run with --resume {}, or name another directory with --run-dir", path.display(), path.display())]
    Taken { path: PathBuf },
    /// The run would not fit into the memory.
    #[error(
        "the run needs {} of memory, and {} can be had\n  make the layers of the model or the batches smaller, or end other programs", gigabytes(*needed), gigabytes(Some(*available))
    )]
    TooLarge { needed: Option<u64>, available: u64 },
    /// The checkpoints would not fit on the disk.
    #[error(
        "the run needs {} on the disk of {}, and {} are free\n  make room, or keep fewer checkpoints: `training.checkpoint.keep_last`", gigabytes(Some(*needed)), run.display(), gigabytes(Some(*available))
    )]
    NoSpace { run: PathBuf, needed: u64, available: u64 },
    /// A batch of one has no variance.
    #[error(
        "{count} training examples in batches of {batch_size} leave a batch of one, in which batch norm has no variance\n  change `training.batch_size` or leave out the batch norm"
    )]
    BatchOfOne { count: usize, batch_size: usize },
    /// Weights for another number of classes.
    #[error(
        "`objective.class_weights` has {given} weights for {classes} classes\n  give one a class, in the order of the labels, or write \"balanced\""
    )]
    ClassWeights {
        /// The number of classes.
        classes: usize,
        /// The number of weights.
        given: usize,
    },
    /// A model that cannot take the data.
    #[error(
        "the model cannot classify examples of {} x {} x {} (height x width x channels): {reason}\n  choose another model, for example `[model.mlp]`, or other data",
        shape[0], shape[1], shape[2]
    )]
    Unsuited { shape: [usize; 3], reason: String },
    /// One logit cannot tell more than two classes apart.
    #[error(
        "the head `sigmoid` tells two classes apart, and the data have {classes}\n  set `objective.head = \"softmax\"`, or leave it out"
    )]
    NotBinary { classes: usize },
    /// A resumed run would end before where it is.
    #[error("{} has trained {done} epochs already, and `training.epochs` is {epochs}\n  set it to {done} or more", run.display())]
    FewerEpochs { run: PathBuf, done: usize, epochs: usize },
    /// There is nothing to resume.
    #[error(
        "there is no run of `{name}` in {within}/ to resume\n  start one without --resume, or name its directory: --resume DIR"
    )]
    NoRun { name: String, within: PathBuf },
    /// A directory for a new run cannot be made within a file.
    #[error("{} is a file, so that there can be no {} in it\n  name another directory with --run-dir", file.display(), path.display())]
    WithinFile { path: PathBuf, file: PathBuf },
    /// The directory is not one of a run.
    #[error("{} is not a run directory: it has no config.toml\n  name a directory that a run has made, for example runs/signs", path.display())]
    NotARun { path: PathBuf },
    /// A link is not what it leads to.
    #[error("{} is a symbolic link, which is no run directory itself\n  name the directory that it leads to; `rm` removes the link", path.display())]
    IsALink { path: PathBuf },
    /// A config of a run is no run.
    #[error("{} is not a run directory: it has the config of a run, and no {} of its own\n  if all of it is to go, remove it with `rm -r`", path.display(), file.file_name().unwrap_or_default().display())]
    OnlyAConfig { path: PathBuf, file: PathBuf },
    /// A run directory holds another one.
    #[error("{} holds another run, {}\n  move or remove that one first", path.display(), run.display())]
    HoldsARun { path: PathBuf, run: PathBuf },
    /// A run that is to be removed is under way.
    #[error("{} is running: {owner} has it\n  stop it first, with Ctrl-C or `kill`", path.display())]
    Running { path: PathBuf, owner: String },
    /// Another process is running the run.
    #[error("{} is in use by {owner}\n  wait until it has ended, or start a run of its own without --resume", path.display())]
    Locked { path: PathBuf, owner: String },
    /// A checkpoint is not what was committed.
    #[error("the checkpoint file {} is damaged: {reason}\n  put it back from a backup, or start a new run", path.display())]
    Damaged { path: PathBuf, reason: String },
    /// No checkpoint is what was committed.
    #[error("no checkpoint of the run is whole:\n  {}\n  put back one from a backup, or start a new run", reasons.join("\n  "))]
    AllDamaged { reasons: Vec<String> },
    /// The run has no checkpoint yet.
    #[error("{} has no checkpoint yet\n  continue it with --resume {}", path.display(), path.display())]
    NothingTrained { path: PathBuf },
    /// The checkpoint belongs to another run.
    #[error("the checkpoint {} belongs to another run\n  put back the checkpoints that this run wrote, or start a new run", path.display())]
    ForeignCheckpoint { path: PathBuf },
    /// The config differs from that of the run to resume.
    #[error("the config differs from that of {}:\n  {}\n  resume without these changes, or start a new run without --resume", run.display(), differences.join("\n  "))]
    ResumeConflict { run: PathBuf, differences: Vec<String> },
    /// The data differ from those of the run to resume.
    #[error("the {part} set is not the one that {} was trained with:\n  now   {now}\n  then  {then}\n  put the same data back, or start a new run without --resume", run.display())]
    DataChanged { run: PathBuf, part: String, now: String, then: String },
    /// A metrics file lost what it held at the checkpoint.
    #[error("{} holds {length} bytes, and {written} at the last checkpoint\n  put it back from a backup, or start a new run", path.display())]
    MetricsShortened { path: PathBuf, length: u64, written: u64 },
    /// Training diverged.
    #[error(
        "the {what} {value} in epoch {epoch}, batch {batch} (step {step}): the first tensor that is not finite is {tensor}\n  lower the learning rate, clip the gradients or check the data; the last checkpoint is intact"
    )]
    NotFinite {
        what: &'static str,
        value: f64,
        tensor: String,
        epoch: usize,
        batch: usize,
        step: usize,
    },
    /// The examples of a batch did not come.
    #[error(
        "batch {batch} of epoch {epoch} could not be loaded: {reason}\n  resume the run; if it happens again, check the data"
    )]
    NotLoaded { epoch: usize, batch: usize, reason: String },
    /// Burn panicked: the device is lost, out of memory, or there is a bug.
    #[error(
        "the training broke off on {device} in epoch {epoch}, batch {batch}: {reason}\n  the last checkpoint is intact: resume it, with another --device if this one is lost or short of memory"
    )]
    BrokeOff { device: String, epoch: usize, batch: usize, reason: String },
    /// There is no cost to take gradients of.
    #[error(
        "the cost under the first weights is {cost}, which has no gradients to check\n  lower `model.mlp.initializer_scale` or check the data"
    )]
    CostNotFinite { cost: f64 },
    /// An error cannot be planted in this experiment.
    #[error("the error `{plant}` cannot be planted: {reason}\n  {remedy}")]
    NothingToPlant { plant: &'static str, reason: &'static str, remedy: &'static str },
    /// Burn refused a record.
    #[error(
        "the weights or the optimiser cannot be saved or restored: {0}\n  the checkpoint does not fit this config or this version of the trainer"
    )]
    Record(String),
    /// Burn's event processing failed.
    #[error(
        "the metrics of the run could not be processed: {0}\n  resume it; with --ui none the dashboard is left out"
    )]
    Events(String),
    /// The split asked for is not there.
    #[error("{} has no validation set\n  evaluate `test` or `train`, or train with `split.validation_fraction`", run.display())]
    NoValidation { run: PathBuf },
    /// The model is not one of images.
    #[error("{} was trained on points of {features} features, not on images\n  give it points: --features followed by numbers with commas between them", run.display())]
    NotImages { run: PathBuf, features: usize },
    /// The model is not one of points.
    #[error("{} was trained on images, not on points\n  give it PNG or JPEG files", run.display())]
    NotPoints { run: PathBuf },
    /// A point is not of the plane or space of the model.
    #[error("{} was trained on points of {expected} features, and a point has {given}\n  give it {expected} numbers with commas between them", run.display())]
    OtherFeatures { run: PathBuf, expected: usize, given: usize },
    /// An image to predict cannot be read.
    #[error("cannot read the image {}: {reason}\n  give a PNG or JPEG file", path.display())]
    Image { path: PathBuf, reason: String },
}

/// A size in bytes as people read it; none is beyond all numbers.
fn gigabytes(size: Option<u64>) -> String {
    size.map_or("more than any machine has".to_owned(), |size| {
        format!("{:.2} GB", size as f64 / 1e9)
    })
}

impl RunError {
    /// The error of writing `path`.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// The error of reading `path`.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}
