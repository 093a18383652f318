//! Experiments and their runs: the modules that use a whole config.

mod builder;
mod final_fit;
mod initial_weights;
mod model_summary;
mod other_data;
mod resource_estimate;
mod resume;
mod run;
mod saved_model;
#[cfg(test)]
mod tests;
mod time_estimate;
mod trained_model;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use artifacts::{DataIdentity, Environment, RunDir, RunLock, Summary};
use burn::tensor::{Device, FloatDType};
use data::{Augmenter, Examples, LoadedDataset, Split};
use data_sources::quality::Splitting;

use crate::config::{DistributedConfig, RunConfig};
use crate::device::DeviceInfo;
use crate::error::RunError;
use crate::fault_injection::Faults;
use crate::model::{Classifier, ClassifierConfig, ModelDescription, Weights};
use crate::optim::FineTuning;
#[cfg(feature = "distributed")]
use crate::trainer::PartComputer;
use crate::trainer::{BatchSource, Checkpoint, Checkpoints, READBACK_INTERVAL, TrainingState};

pub use builder::ExperimentBuilder;
pub use model_summary::ModelSummary;
pub use other_data::OtherData;
pub use resource_estimate::ResourceEstimate;
pub use run::{Outcome, Run, Ui};
pub use trained_model::TrainedModel;

/// An experiment that is ready to run: config resolved, device selected, data loaded. Nothing is
/// written before a run starts.
pub struct Experiment {
    config: RunConfig,
    device: DeviceInfo,
    data: Arc<Split>,
    environment: Environment,
    estimate: ResourceEstimate,
    /// The weights of `init_from`, once they are read.
    initial_weights: Option<Weights>,
    /// Temperature of a final fit, which has no validation set: that of the first fit.
    temperature: Option<f64>,
    notes: Vec<String>,
    warnings: Vec<String>,
    /// Whether the batch size was found by rule, which may find another one on another machine.
    is_batch_automatic: bool,
    /// How the run uses workers.
    distributed: DistributedConfig,
    /// From when on a time budget counts.
    started: Instant,
}

impl RunConfig {
    /// Loads the data; the dataset of the config must be resolved.
    pub(crate) fn load_data(&self) -> Result<(Split, DataIdentity), RunError> {
        let (split, identity, _) = self.split_data(self.dataset.load()?)?;
        Ok((split, identity))
    }

    /// Splits the data. Returns likely mistakes in them too, one sentence each.
    fn split_data(
        &self,
        data: LoadedDataset,
    ) -> Result<(Split, DataIdentity, Vec<String>), RunError> {
        let (synthetic, sha256, fit) = (data.synthetic, data.sha256.clone(), data.fit);
        let (split, warnings) = Splitting::of_run(&self.split, self.seed).apply(data)?;
        let identity = DataIdentity { fit, ..DataIdentity::new(synthetic, sha256, &split) };
        Ok((split, identity, warnings))
    }

    /// The description of a model that was trained on `data`, from whatever files.
    pub(crate) fn description(&self, data: &DataIdentity) -> ModelDescription {
        let fit = data.are_images.then(|| data.fit.unwrap_or_default());
        ModelDescription {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: self.model.clone(),
            objective: self.objective.clone(),
            mirrored: self.evaluation.mirrored,
            data: DataIdentity { sha256: BTreeMap::new(), fit, ..data.clone() },
            weights_sha256: String::new(),
        }
    }

    pub(crate) fn classifier(&self, shape: [usize; 3], classes: usize) -> ClassifierConfig<'_> {
        ClassifierConfig {
            model: &self.model,
            objective: &self.objective,
            mirrored: self.evaluation.mirrored,
            seed: self.seed,
            shape,
            classes,
        }
    }
}

impl Experiment {
    /// The resolved config.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Name of the device.
    pub fn device(&self) -> &str {
        &self.device.name
    }

    /// The data.
    pub fn data(&self) -> &Arc<Split> {
        &self.data
    }

    /// Identity of the data.
    pub fn data_identity(&self) -> &DataIdentity {
        &self.environment.data
    }

    /// Counts the time budget of the run from `started` on, instead of from the start of the
    /// preparation.
    #[must_use]
    pub fn started_at(self, started: Instant) -> Self {
        Self { started, ..self }
    }

    /// How the run uses workers.
    pub fn distributed(&self) -> &DistributedConfig {
        &self.distributed
    }

    /// What was inferred about the data, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Likely mistakes in data and config that do not prevent a run, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// This experiment for one epoch on at most two steps of each part, to test config and data.
    #[must_use]
    pub fn fast_dev_run(self) -> Self {
        let Self { mut config, device, data, mut environment, .. } = self;
        let count = 2 * config.training.step_examples(data.train.len());
        let few = |examples: &Examples| evenly_spaced(examples, count);
        let data = Split {
            train: few(&data.train),
            validation: data.validation.as_ref().map(few),
            test: data.test.as_ref().map(few),
            classes: data.classes.clone(),
        };
        config.training.epochs = Some(1);
        config.training.max_minutes = None;
        config.training.plan.clear();
        let DataIdentity { synthetic, sha256, fit, .. } = environment.data;
        environment.data = DataIdentity { fit, ..DataIdentity::new(synthetic, sha256, &data) };
        Self { config, device, data: Arc::new(data), environment, ..self }
    }

    /// Creates a new run in the first free directory of `<runs>/<name>`, `<runs>/<name>-2`, ..
    pub fn start_in(mut self, runs: &Path) -> Result<Run, RunError> {
        self.read_initial_weights()?;
        let created = RunDir::create_numbered(runs, &self.config.name)?;
        self.start(created)
    }

    /// Creates a new run in the directory `path`.
    pub fn start_at(mut self, path: &Path) -> Result<Run, RunError> {
        self.read_initial_weights()?;
        let created = RunDir::create(path)?;
        self.start(created)
    }

    fn start(self, (directory, lock): (RunDir, RunLock)) -> Result<Run, RunError> {
        match self.write_description(&directory) {
            Ok(checkpoints) => Ok(self.into_run(directory, lock, checkpoints, None)),
            Err(error) => {
                directory.discard();
                Err(error)
            }
        }
    }

    fn write_description(&self, directory: &RunDir) -> Result<Checkpoints, RunError> {
        self.estimate.check_disk(directory.path(), &directory.checkpoints())?;
        self.environment.write(directory)?;
        resume::write_config(&self.config, directory)?;
        Checkpoints::open(directory.checkpoints(), &self.environment.run)
    }

    /// Resumes the run in `directory` from its newest intact checkpoint, or from the start if it
    /// has none.
    pub fn resume(mut self, directory: RunDir) -> Result<Run, RunError> {
        let lock = directory.lock()?;
        let then = resume::config_of(&directory, &self.config)?;
        if self.is_batch_automatic {
            self.config.training.batch_size = then.training.batch_size;
        }
        let changes = resume::allowed_changes(&self.config, &directory)?;
        let earlier = Environment::read(&directory)?;
        resume::check_data(self.data_identity(), &earlier.data, &directory)?;
        self.estimate.check_disk(directory.path(), &directory.checkpoints())?;
        let checkpoints = Checkpoints::open(directory.checkpoints(), &earlier.run)?;
        let checkpoint = checkpoints.newest()?;
        if checkpoint.is_none() {
            self.read_initial_weights_of(&earlier)?;
        }
        self.environment.run = earlier.run;
        self.environment.init_from = earlier.init_from;
        if let Some(checkpoint) = &checkpoint {
            self.check_state(&checkpoint.state, &directory, &checkpoints)?;
            checkpoints.set_aside_after(&checkpoint.state)?;
            // The process may have been killed before it removed old checkpoints.
            checkpoints.prune(self.config.training.checkpoint.keep_last)?;
        }
        let step = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.state.step);
        if let Some(jump) = resume::rate_jump(&then, &self.config, step, self.data.train.len()) {
            tracing::warn!("{jump}");
        }
        for change in changes {
            tracing::warn!(
                "{change}: the result can no longer be reproduced from the config alone"
            );
        }
        Ok(self.into_run(directory, lock, checkpoints, checkpoint))
    }

    fn into_run(
        self,
        directory: RunDir,
        lock: RunLock,
        checkpoints: Checkpoints,
        checkpoint: Option<Checkpoint>,
    ) -> Run {
        let readback_interval = if self.device.is_processor() { 1 } else { READBACK_INTERVAL };
        Run {
            experiment: self,
            directory,
            _lock: lock,
            checkpoints,
            checkpoint,
            workers: None,
            faults: Faults::default(),
            readback_interval,
        }
    }

    /// The result of the run in `directory`, if it is finished. Fails if it is a run of another
    /// experiment.
    pub fn finished(&self, directory: &RunDir) -> Result<Option<Summary>, RunError> {
        let then = resume::config_of(directory, &self.config)?.training;
        let mut config = self.config.clone();
        if self.is_batch_automatic {
            config.training.batch_size = then.batch_size;
        }
        resume::check_equal(&config, directory)?;
        let earlier = Environment::read(directory)?;
        resume::check_data(self.data_identity(), &earlier.data, directory)?;
        let now = &self.config.training;
        let is_same = then.epochs == now.epochs && then.max_minutes == now.max_minutes;
        if !is_same || then.early_stopping != now.early_stopping {
            return Ok(None);
        }
        Ok(Summary::read(directory)?)
    }

    /// Fails if the run cannot continue from `state`.
    fn check_state(
        &self,
        state: &TrainingState,
        directory: &RunDir,
        checkpoints: &Checkpoints,
    ) -> Result<(), RunError> {
        let done = state.epoch - 1;
        if let Some(epochs) = self.config.training.epochs.filter(|_| state.plan.is_none())
            && (done > epochs || done == epochs && state.epoch_step > 0)
        {
            return Err(RunError::Usage(format!(
                "{} has already trained {done} epochs, and `training.epochs` is {epochs}\n  set it to {done} or more",
                directory.path().display()
            )));
        }
        // The best checkpoint is needed at the end: report a missing one before the training.
        state.best.as_ref().map_or(Ok(()), |best| checkpoints.load(&best.checkpoint).map(drop))
    }

    /// What computes single parts of the run from given weights.
    #[cfg(feature = "distributed")]
    pub(crate) fn part_computer(&self) -> Result<PartComputer, RunError> {
        let classifier = self.initial_classifier()?;
        let fine_tuning = self.fine_tuning(&classifier);
        let source = self.batch_source()?;
        let (config, seed) = (self.config.training.clone(), self.config.seed);
        Ok(PartComputer::new(config, source, classifier, fine_tuning, seed))
    }

    fn fine_tuning(&self, classifier: &Classifier) -> Option<FineTuning> {
        let Self { config, data, .. } = self;
        let fine_tuning = config.fine_tuning.clone()?;
        let (shape, outputs) = (data.train.shape, config.outputs(data.classes.len()));
        let layers = config.model.layers(shape, outputs).unwrap_or_default();
        Some(FineTuning::new(fine_tuning, &config.model, &layers, classifier))
    }

    fn batch_source(&self) -> Result<BatchSource, RunError> {
        let Self { config, data, device, .. } = self;
        let augmenter = Augmenter::new(&config.augmentation, &data.train, config.seed)?;
        let (data, autodiff) = (Arc::clone(data), self.autodiff_device());
        let (training, is_processor) = (&config.training, device.is_processor());
        Ok(BatchSource::new(data, autodiff, augmenter, training, is_processor))
    }

    /// The device, with autodiff.
    pub(crate) fn autodiff_device(&self) -> Device {
        self.device.device.clone().autodiff()
    }

    /// The classifier before the first step.
    pub(crate) fn initial_classifier(&self) -> Result<Classifier, RunError> {
        let (train, classes) = (&self.data.train, self.data.classes.len());
        let statistics = self.config.input.fit(train)?;
        let weights = self.config.objective.class_weights.fit(&train.labels, classes);
        let classifier = self.config.classifier(train.shape, classes);
        let classifier = classifier.init(&statistics, FloatDType::F32, &self.autodiff_device())?;
        let classifier = classifier.with_class_weights(weights);
        let Some((saved, path)) = self.initial_weights.as_ref().zip(self.config.init_from.as_ref())
        else {
            return Ok(classifier);
        };
        Ok(initial_weights::load(saved, path, classifier)?.0)
    }
}

/// At most `count` of the examples, over their whole range: a file may be sorted by class.
fn evenly_spaced(examples: &Examples, count: usize) -> Examples {
    let (all, count) = (examples.len(), count.min(examples.len()));
    examples.select(&(0..count).map(|index| index * all / count).collect::<Vec<_>>())
}
