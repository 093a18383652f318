use std::sync::Arc;
use std::time::Instant;

use artifacts::Environment;
use data::{LoadedDataset, SplitKind};

use super::time_estimate::time_warning;
use super::{Experiment, ResourceEstimate, resume};
use crate::config::{BatchSize, DistributedConfig, RunConfig};
use crate::device;
use crate::error::RunError;

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

    /// Selects a device. The default is that of the config, otherwise the best one.
    #[must_use]
    pub fn device(self, name: &str) -> Self {
        Self { device: Some(name.to_owned()), ..self }
    }

    /// Resolves the config, selects the device and loads the data.
    pub fn prepare(self) -> Result<Experiment, RunError> {
        let started = Instant::now();
        let Self { config, data, device, commit } = self;
        let device = device::select(device.as_deref().or(config.device.as_deref()))?;
        let dataset = config.dataset.resolve()?;
        let init_from = config.init_from.map(|path| std::path::absolute(&path).unwrap_or(path));
        let device_name = Some(device.name.clone());
        // Neither the result nor the identity of a run depends on its workers.
        let distributed = config.distributed;
        let no_workers = DistributedConfig::default();
        let mut config = RunConfig {
            dataset,
            device: device_name,
            init_from,
            distributed: no_workers,
            ..config
        };
        let data = data.map_or_else(|| config.dataset.load(), Ok)?;
        let (mut notes, mut warnings) = (data.notes.clone(), data.warnings.clone());
        warnings.extend(config.training.epochs.and_then(|it| config.schedule.warning(it)));
        let (data, identity, of_data) = config.split_data(data)?;
        warnings.extend(of_data);
        let is_batch_automatic = config.training.batch_size == Some(BatchSize::Auto);
        config.training.batch_size =
            ResourceEstimate::batch_size(&config, &data, device.is_processor());
        if is_batch_automatic {
            notes.push(format!("batches of {}", config.training.batch_size(data.train.len())));
        }
        config.check_against(&data)?;
        if identity.reported() == SplitKind::Train {
            tracing::warn!(
                "no test set and no validation set: the training accuracy will be reported, which says nothing about new data"
            );
        }
        let (train, classes) = (&data.train, data.classes.len());
        warnings.extend(time_warning(&config, train.shape, classes, train.len(), &device.name));
        let estimate = ResourceEstimate::new(&config, &data, device.is_processor())?;
        tracing::debug!(estimate.memory, estimate.disk, "estimated bytes");
        estimate.check_memory()?;
        let run = resume::run_id(&config, &identity)?;
        let commit = commit.as_deref();
        let environment = Environment::new(run, commit, &device.name, config.seed, identity);
        Ok(Experiment {
            config,
            device,
            data: Arc::new(data),
            environment,
            estimate,
            notes,
            warnings,
            initial_weights: None,
            temperature: None,
            is_batch_automatic,
            distributed,
            started,
        })
    }
}

impl Experiment {
    /// Starts to prepare an experiment.
    ///
    /// A program with its own data passes them as a [`LoadedDataset`]. Its [`data::Examples`] are
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
    /// let config = RunConfig::parse("sums.toml".as_ref(), text, &[], &ModelRegistry::new())?;
    ///
    /// let directory = tempfile::tempdir()?;
    /// let experiment = Experiment::builder(config).data(data).device("flex").prepare()?;
    /// let mut run = experiment.start_in(directory.path())?;
    /// let Outcome::Finished(summary) = run.train(Ui::silent(Box::new(|| None)))? else {
    ///     unreachable!("nothing stops the run");
    /// };
    /// assert!(summary.test_accuracy.is_some_and(|accuracy| accuracy > 0.9));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A program with its own model registers a [`models::CustomModel`] in the
    /// [`models::ModelRegistry`] with which it reads the config.
    pub fn builder(config: RunConfig) -> ExperimentBuilder {
        ExperimentBuilder { config, data: None, device: None, commit: None }
    }

    /// Prepares an experiment on the data of its config, by a program that was built from `commit`.
    /// `device` as in [`ExperimentBuilder`].
    pub fn prepare(
        config: &RunConfig,
        device: Option<&str>,
        commit: Option<&str>,
    ) -> Result<Self, RunError> {
        let (device, commit) = (device.map(String::from), commit.map(String::from));
        ExperimentBuilder { config: config.clone(), data: None, device, commit }.prepare()
    }
}
