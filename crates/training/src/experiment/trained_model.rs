use std::path::Path;

use artifacts::{
    DataIdentity, DecisionBoundary, Environment, Evaluation, RunDir, TestPredictions, write_json,
};
use burn::tensor::Device;
use data::{Split, SplitKind};
use models::ModelRegistry;

use super::saved_model::saved_model;
use super::{ModelSummary, resume};
use crate::config::RunConfig;
use crate::error::RunError;
use crate::inference::{
    FirstBatch, Predictor, calibrate, decision_boundary, deduplicate, evaluate, test_predictions,
};
use crate::model::Classifier;

/// The model of a run's best epoch, or of its last if there is no validation set. Needs only the
/// run directory.
pub struct TrainedModel {
    run: RunDir,
    config: RunConfig,
    data: DataIdentity,
    predictor: Predictor,
}

impl TrainedModel {
    /// Loads the model of the run at `path`, which is built in or in `models`, onto `device`,
    /// otherwise the best device.
    pub fn open(
        path: &Path,
        device: Option<&str>,
        models: &ModelRegistry,
    ) -> Result<Self, RunError> {
        let run = RunDir::open(path)?;
        let config = RunConfig::read_with_models(&run.config(), &[], models)?;
        let environment = Environment::read(&run)?;
        let model = saved_model(&run, &environment)?;
        let description = config.description(&environment.data);
        let predictor = Predictor::load(run.path(), &config.name, &model, description, device)?;
        Ok(Self { run, config, data: environment.data, predictor })
    }

    /// The model alone.
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// The model alone.
    pub fn into_predictor(self) -> Predictor {
        self.predictor
    }

    /// Identity of the data the model was trained and tested on.
    pub fn data_identity(&self) -> &DataIdentity {
        &self.data
    }

    /// The run directory.
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    pub(super) fn classifier(&self) -> &Classifier {
        self.predictor.classifier()
    }

    pub(super) fn device(&self) -> &Device {
        self.predictor.device()
    }

    /// The resolved config.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Loads the data of the run, which must not have changed.
    pub fn load_data(&self) -> Result<Split, RunError> {
        let dataset = self.config.dataset.resolve()?;
        let (data, now) = RunConfig { dataset, ..self.config.clone() }.load_data()?;
        resume::check_data(&now, self.data_identity(), &self.run)?;
        Ok(data)
    }

    /// Evaluates the model on one split of its data, which must not have changed, and stores the
    /// scores in the run directory.
    pub fn evaluate(&self, split: SplitKind) -> Result<Evaluation, RunError> {
        let data = self.load_data()?;
        let examples = data
            .examples(split)
            .ok_or_else(|| RunError::NoSplit { run: self.run.path().to_owned(), split })?;
        let (classifier, identity, device) =
            (self.classifier(), self.data_identity(), self.device());
        let mut evaluation = evaluate(classifier, split, examples, identity, device)?;
        if split == SplitKind::Validation && classifier.temperature().is_some() {
            evaluation.calibration = Some(calibrate(classifier, examples, device)?);
        }
        if split != SplitKind::Train {
            evaluation.deduplicated =
                deduplicate(&evaluation, &data, examples, classifier, identity, device)?;
        }
        if let Err(error) = write_json(&self.run.evaluation(split), &evaluation) {
            tracing::warn!("the scores are not stored in the run: {error}");
        }
        Ok(evaluation)
    }

    /// Predictions for the test set of `data`, the data of the run, or for the part whose scores are
    /// reported in its place; stored in the run directory.
    pub fn test_predictions(&self, data: &Split) -> Result<TestPredictions, RunError> {
        let first_batch = FirstBatch {
            augmentation: &self.config.augmentation,
            seed: self.config.seed,
            size: self.config.training.batch_size(data.train.len()),
        };
        let DataIdentity { shape, classes, .. } = self.data_identity();
        let layers = ModelSummary::new(&self.config, *shape, classes.len())?.layers;
        let (classifier, device) = (self.classifier(), self.device());
        let predictions = test_predictions(classifier, data, device, &first_batch, layers)?;
        write_json(&self.run.test_predictions(), &predictions)?;
        Ok(predictions)
    }

    /// Class probabilities over the plane of the data, stored in the run directory; `None` if the
    /// data do not have two features, or are too large to be plotted.
    pub fn decision_boundary(&self) -> Result<Option<DecisionBoundary>, RunError> {
        let DataIdentity { are_images, shape: [.., features], .. } = *self.data_identity();
        if are_images || features != 2 {
            return Ok(None);
        }
        let data = self.load_data()?;
        let boundary = decision_boundary(self.classifier(), &data, self.device())?;
        if let Some(boundary) = &boundary {
            boundary.write(&self.run)?;
        }
        Ok(boundary)
    }
}
