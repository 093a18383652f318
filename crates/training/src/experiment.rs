//! Experiments and their runs: everything that knows a whole config.

mod model_summary;
mod resource_estimate;
mod resume;
mod run;
mod trained_model;

use std::path::Path;
use std::sync::Arc;

use artifacts::{DataIdentity, Environment, RunDir, RunLock, Summary};
use burn::tensor::{Device, FloatDType};
use data::{LoadedDataset, Split};

use crate::config::RunConfig;
use crate::device::{self, SelectedDevice};
use crate::error::RunError;
use crate::fault_injection::Faults;
use crate::model::{Classifier, ClassifierConfig};
use crate::trainer::{Checkpoint, Checkpoints, READBACK_INTERVAL, TrainingState};

pub use model_summary::ModelSummary;
pub use resource_estimate::ResourceEstimate;
pub use run::{Outcome, Run, Ui};
pub use trained_model::TrainedModel;

/// An experiment that is ready to run: config resolved, device selected, data loaded. Nothing is
/// written before a run starts.
pub struct Experiment {
    config: RunConfig,
    device: SelectedDevice,
    data: Arc<Split>,
    environment: Environment,
    estimate: ResourceEstimate,
}

impl RunConfig {
    /// Loads the data; the dataset of the config must be resolved.
    pub(crate) fn load_data(&self) -> Result<(Split, DataIdentity), RunError> {
        self.split_data(self.dataset.load()?)
    }

    fn split_data(&self, data: LoadedDataset) -> Result<(Split, DataIdentity), RunError> {
        let (synthetic, sha256) = (data.synthetic, data.sha256.clone());
        let split = self.split.apply(data, self.seed)?;
        let identity = DataIdentity::new(synthetic, sha256, &split);
        Ok((split, identity))
    }

    /// The classifier for examples of `shape` in `classes` classes.
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

/// Prepares an [`Experiment`].
pub struct ExperimentBuilder {
    config: RunConfig,
    data: Option<LoadedDataset>,
    device: Option<String>,
    commit: Option<String>,
}

impl ExperimentBuilder {
    /// Uses `data` instead of the dataset of the config, which is `[dataset.external]`.
    #[must_use]
    pub fn data(self, data: LoadedDataset) -> Self {
        Self { data: Some(data), ..self }
    }

    /// Selects a device; without it the config's, otherwise the best one is used.
    #[must_use]
    pub fn device(self, name: &str) -> Self {
        Self { device: Some(name.to_owned()), ..self }
    }

    /// Records the commit that the program was built from.
    #[must_use]
    pub fn commit(self, commit: &str) -> Self {
        Self { commit: Some(commit.to_owned()), ..self }
    }

    /// Resolves the config, selects the device and loads the data.
    pub fn prepare(self) -> Result<Experiment, RunError> {
        let Self { config, data, device, commit } = self;
        let device = device::select(device.as_deref().or(config.device.as_deref()))?;
        let dataset = config.dataset.resolve()?;
        let config = RunConfig { dataset, device: Some(device.name.clone()), ..config };
        let (data, identity) = match data {
            Some(data) => config.split_data(data)?,
            None => config.load_data()?,
        };
        config.check_against(&data)?;
        let estimate = ResourceEstimate::new(&config, &data, device.is_processor())?;
        tracing::debug!(estimate.memory, estimate.disk, "estimated bytes");
        estimate.check_memory()?;
        let run = resume::run_id(&config, &identity)?;
        let commit = commit.as_deref();
        let environment = Environment::new(run, commit, &device.name, config.seed, identity);
        Ok(Experiment { config, device, data: Arc::new(data), environment, estimate })
    }
}

impl Experiment {
    /// Starts to prepare an experiment.
    ///
    /// A program with its own data passes them as a [`LoadedDataset`], whose [`data::Examples`] are
    /// in memory or read row by row from a [`data::RowSource`]:
    ///
    /// ```
    /// use data::{Examples, LoadedDataset};
    /// use trainer_training::{Experiment, ModelRegistry, Outcome, RunConfig, Ui};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Points with a positive and a negative sum.
    /// let points: Vec<f32> = (0..80).map(|i| ((i * 37 % 100) as f32 - 50.0) / 50.0).collect();
    /// let labels: Vec<u32> = points.chunks(2).map(|p| u32::from(p[0] + p[1] > 0.0)).collect();
    /// let examples = || Examples::features(2, points.clone(), labels.clone());
    /// let data = LoadedDataset::generated(examples(), examples(), &["no", "yes"], false)?;
    ///
    /// let text = "name = \"sums\"\ndataset.external.test = true\nmodel.mlp.hidden = [8]\n\
    ///             optimizer.adam.learning_rate = 0.05\ntraining.epochs = 60\n";
    /// let config = RunConfig::parse("sums.toml".as_ref(), text, &ModelRegistry::new())?;
    ///
    /// let directory = tempfile::tempdir()?;
    /// let experiment = Experiment::builder(config).data(data).device("flex").prepare()?;
    /// let mut run = experiment.start_in(directory.path())?;
    /// let Outcome::Finished(summary) = run.train(Ui::silent(Box::new(|| None)))? else {
    ///     unreachable!("nothing stops the run");
    /// };
    /// assert!(summary.test_accuracy > 0.9);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A model of its own is a [`models::CustomModel`] in the [`models::ModelRegistry`] that the
    /// config is read with.
    pub fn builder(config: RunConfig) -> ExperimentBuilder {
        ExperimentBuilder { config, data: None, device: None, commit: None }
    }

    /// Prepares an experiment on the data of its config. `device` and `commit` as in
    /// [`ExperimentBuilder`].
    pub fn prepare(
        config: &RunConfig,
        device: Option<&str>,
        commit: Option<&str>,
    ) -> Result<Self, RunError> {
        let (device, commit) = (device.map(String::from), commit.map(String::from));
        ExperimentBuilder { config: config.clone(), data: None, device, commit }.prepare()
    }

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

    /// Creates a new run in the first free directory of `<runs>/<name>`, `<runs>/<name>-2`, ..
    pub fn start_in(self, runs: &Path) -> Result<Run, RunError> {
        let created = RunDir::create_numbered(runs, &self.config.name)?;
        self.start(created)
    }

    /// Creates a new run in the directory `path`.
    pub fn start_at(self, path: &Path) -> Result<Run, RunError> {
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

    /// Resumes the run in `directory` from its newest intact checkpoint, or from the start if it has
    /// none.
    pub fn resume(mut self, directory: RunDir) -> Result<Run, RunError> {
        let lock = directory.lock()?;
        let changes = resume::allowed_changes(&self.config, &directory)?;
        let earlier = Environment::read(&directory)?;
        resume::check_data(self.data_identity(), &earlier.data, &directory)?;
        self.estimate.check_disk(directory.path(), &directory.checkpoints())?;
        self.environment.run = earlier.run;
        let checkpoints = Checkpoints::open(directory.checkpoints(), &self.environment.run)?;
        let checkpoint = checkpoints.newest()?;
        if let Some(checkpoint) = &checkpoint {
            self.check_state(&checkpoint.state, &directory, &checkpoints)?;
            checkpoints.set_aside_after(&checkpoint.state)?;
            // The process may have been killed before it removed old checkpoints.
            checkpoints.prune(self.config.training.checkpoint.keep_last)?;
        }
        for change in changes {
            tracing::warn!("{change}: the result can no longer be reproduced from the config alone");
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
            faults: Faults::default(),
            readback_interval,
        }
    }

    /// The result of the run in `directory`, if it is finished. Fails if it is a run of another
    /// experiment.
    pub fn finished(&self, directory: &RunDir) -> Result<Option<Summary>, RunError> {
        resume::check_equal(&self.config, directory)?;
        let earlier = Environment::read(directory)?;
        resume::check_data(self.data_identity(), &earlier.data, directory)?;
        let then = RunConfig::read_with_models(&directory.config(), &[], &self.config.model.registry())?.training;
        let now = &self.config.training;
        if (then.epochs, &then.early_stopping) != (now.epochs, &now.early_stopping) {
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
        let (done, epochs) = (state.epoch - 1, self.config.training.epochs);
        if done > epochs || done == epochs && state.epoch_step > 0 {
            let run = directory.path().to_owned();
            return Err(RunError::FewerEpochs { run, done, epochs });
        }
        // The best checkpoint is needed at the end: report a missing one before the training.
        state.best.as_ref().map_or(Ok(()), |best| checkpoints.load(&best.checkpoint).map(drop))
    }

    /// The device, with autodiff.
    pub(crate) fn autodiff_device(&self) -> Device {
        self.device.device.clone().autodiff()
    }

    /// The classifier before the first step.
    pub(crate) fn initial_classifier(&self) -> Result<Classifier, RunError> {
        let (train, classes) = (&self.data.train, self.data.classes.len());
        let statistics = self.config.input.normalization.fit(train)?;
        let weights = self.config.objective.class_weights.fit(&train.labels, classes);
        let classifier = self.config.classifier(train.shape, classes);
        let classifier = classifier.init(&statistics, FloatDType::F32, &self.autodiff_device())?;
        Ok(classifier.with_class_weights(weights))
    }
}
