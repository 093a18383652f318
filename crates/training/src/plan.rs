mod run;

use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, FloatDType};
use dataset::Split;

use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::classifier::Classifier;
use crate::config::RunConfig;
use crate::device::{self, Chosen};
use crate::environment::{DataIdentity, Environment};
use crate::error::RunError;
use crate::estimate::Estimate;
use crate::faults::Faults;
use crate::resume;
use crate::run_dir::{RunDir, RunLock};
use crate::session::READ_TOGETHER;
use crate::state::State;

pub(crate) use run::{BEGINS, FAILED};
pub use run::{Outcome, Run, Summary, Ui};

/// A run with everything ready: config resolved, device chosen, data loaded. Nothing is written
/// until it starts.
pub struct Plan {
    pub(crate) config: RunConfig,
    device: Chosen,
    pub(crate) data: Arc<Split>,
    environment: Environment,
    estimate: Estimate,
}

impl Plan {
    /// Resolves `config`, chooses `device` (or else the config's, or else the best) and loads
    /// the data. `commit` is what the program was built from.
    pub fn prepare(
        config: &RunConfig,
        device: Option<&str>,
        commit: Option<&str>,
    ) -> Result<Self, RunError> {
        let device = device::choose(device.or(config.device.as_deref()))?;
        let dataset = config.dataset.resolve()?;
        let config = RunConfig { dataset, device: Some(device.name.clone()), ..config.clone() };
        let (data, identity) = DataIdentity::load(&config)?;
        config.check_against(&data)?;
        let estimate = Estimate::of(&config, &data, device.is_processor())?;
        tracing::debug!(estimate.memory, estimate.disk, "bytes that the run will need");
        estimate.must_fit_memory()?;
        let run = resume::identity(&config, &identity)?;
        let environment = Environment::new(run, commit, &device, config.seed, identity);
        Ok(Self { config, device, data: Arc::new(data), environment, estimate })
    }

    /// The resolved config.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// The name of the device.
    pub fn device(&self) -> &str {
        &self.device.name
    }

    /// What the run is trained and tested on.
    pub fn data(&self) -> &DataIdentity {
        &self.environment.data
    }

    /// Makes the directory of a new run: `path`, or else a new one under `runs/`.
    pub fn start(self, path: Option<&Path>) -> Result<Run, RunError> {
        let (directory, lock) = RunDir::create(path, &self.config.name)?;
        let describe = || {
            self.estimate.must_fit_disk(directory.path(), &directory.checkpoints())?;
            self.environment.write(&directory)?;
            resume::write_config(&self.config, &directory)?;
            Checkpoints::open(directory.checkpoints(), &self.environment.run)
        };
        match describe() {
            Ok(checkpoints) => Ok(self.run(directory, lock, checkpoints, None)),
            Err(error) => {
                directory.discard();
                Err(error)
            }
        }
    }

    /// Continues the run in `directory` from its newest checkpoint that is whole, or from the
    /// start if it has none.
    pub fn resume(mut self, directory: RunDir) -> Result<Run, RunError> {
        let lock = directory.lock()?;
        let changes = resume::changes(&self.config, &directory)?;
        let then = Environment::read(&directory)?;
        self.data().must_equal(&then.data, &directory)?;
        self.estimate.must_fit_disk(directory.path(), &directory.checkpoints())?;
        self.environment.run = then.run;
        let checkpoints = Checkpoints::open(directory.checkpoints(), &self.environment.run)?;
        let checkpoint = checkpoints.newest()?;
        if let Some(checkpoint) = &checkpoint {
            self.check_state(&checkpoint.state, &directory, &checkpoints)?;
            checkpoints.set_aside_after(&checkpoint.state)?;
            // It may have been stopped before it had.
            checkpoints.prune(self.config.training.checkpoint.keep_last)?;
        }
        for change in changes {
            tracing::warn!("{change}: from here on the run is not what its config alone makes");
        }
        Ok(self.run(directory, lock, checkpoints, checkpoint))
    }

    fn run(
        self,
        directory: RunDir,
        lock: RunLock,
        checkpoints: Checkpoints,
        checkpoint: Option<Checkpoint>,
    ) -> Run {
        let faults = Faults::default();
        let read_together = if self.device.is_processor() { 1 } else { READ_TOGETHER };
        Run { plan: self, directory, _lock: lock, checkpoints, checkpoint, faults, read_together }
    }

    /// The outcome of the run in `directory`, which must be one of this plan, if it is finished.
    pub fn finished(&self, directory: &RunDir) -> Result<Option<Summary>, RunError> {
        resume::must_equal(&self.config, directory)?;
        self.data().must_equal(&Environment::read(directory)?.data, directory)?;
        let then = RunConfig::read(&directory.config(), &[])?.training;
        let now = &self.config.training;
        if (then.epochs, &then.early_stopping) != (now.epochs, &now.early_stopping) {
            return Ok(None);
        }
        Summary::read(directory)
    }

    /// Fails if a run cannot go on from `state`.
    fn check_state(
        &self,
        state: &State,
        directory: &RunDir,
        checkpoints: &Checkpoints,
    ) -> Result<(), RunError> {
        let (done, epochs) = (state.epoch - 1, self.config.training.epochs);
        if done > epochs || done == epochs && state.epoch_step > 0 {
            let run = directory.path().to_owned();
            return Err(RunError::FewerEpochs { run, done, epochs });
        }
        // It is needed at the end, and better missed now than after all the training.
        state.best.as_ref().map_or(Ok(()), |best| checkpoints.load(&best.checkpoint).map(drop))
    }

    /// The device, with autodiff.
    pub(crate) fn autodiff(&self) -> Device {
        self.device.device.clone().autodiff()
    }

    /// The classifier before the first step.
    pub(crate) fn initial(&self) -> Result<Classifier, RunError> {
        let statistics = self.config.input.normalization.fit(&self.data.train)?;
        let device = self.autodiff();
        let weights = &self.config.objective.class_weights;
        let weights = weights.fit(&self.data.train.labels, self.data.classes.len());
        let (config, data) = (&self.config, self.data());
        let classifier = Classifier::initial(config, data, &statistics, FloatDType::F32, &device)?;
        Ok(classifier.with_class_weights(weights))
    }
}
