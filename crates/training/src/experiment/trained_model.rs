use std::path::{Path, PathBuf};

use artifacts::{
    DataIdentity, DecisionBoundary, Environment, Evaluation, RunDir, TestPredictions, write_json,
};
use burn::module::Module;
use burn::tensor::Device;
use data::{Examples, Split, SplitKind};
use data_sources::{Fit, read_image};
use models::ModelRegistry;
use support::ProgressTask;

use super::saved_model::saved_model;
use super::{ModelSummary, resume};
use crate::config::RunConfig;
use crate::device;
use crate::error::RunError;
use crate::inference::{
    FirstBatch, Prediction, decision_boundary, deduplicate, evaluate, log_probabilities,
    test_predictions,
};
use crate::model::Classifier;
use crate::trainer::load_record;

/// The model of a run's best epoch, or of its last if there is no validation set. Needs only the
/// run directory.
pub struct TrainedModel {
    run: RunDir,
    config: RunConfig,
    environment: Environment,
    classifier: Classifier,
    device: Device,
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
        let device = device::select(device)?.device;
        let model = saved_model(&run, &environment)?;
        let DataIdentity { shape, classes, .. } = &environment.data;
        let classifier = config.classifier(*shape, classes.len()).init_empty(&device)?;
        let classifier = load_record(classifier, &model)?.valid();
        Ok(Self { run, config, environment, classifier, device })
    }

    /// Identity of the data the model was trained and tested on.
    pub fn data_identity(&self) -> &DataIdentity {
        &self.environment.data
    }

    /// The run directory.
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    pub(super) fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
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
        let (classifier, identity, device) = (&self.classifier, self.data_identity(), &self.device);
        let mut evaluation = evaluate(classifier, split, examples, identity, device)?;
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
        let (classifier, device) = (&self.classifier, &self.device);
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
        let boundary = decision_boundary(&self.classifier, &data, &self.device)?;
        if let Some(boundary) = &boundary {
            boundary.write(&self.run)?;
        }
        Ok(boundary)
    }

    /// Predicts the class of each image file.
    pub fn predict_images(&self, images: &[PathBuf]) -> Result<Vec<Prediction>, RunError> {
        let DataIdentity { shape, are_images, .. } = *self.data_identity();
        if !are_images {
            let run = self.run.path().to_owned();
            return Err(RunError::NotImages { run, features: shape[2] });
        }
        let task = ProgressTask::start("classifying images", images.len());
        let mut predictions = Vec::with_capacity(images.len());
        for path in images {
            let pixels = read_image(path, shape, Fit::Stretch).map_err(|error| {
                RunError::Image { path: path.clone(), reason: error.to_string() }
            })?;
            let image = Examples::images(shape, pixels, vec![0]);
            predictions.push(self.predict(path.display().to_string(), &image)?);
            task.advance(1);
        }
        Ok(predictions)
    }

    /// Predicts the class of each point.
    pub fn predict_features(&self, points: &[Vec<f32>]) -> Result<Vec<Prediction>, RunError> {
        let run = || self.run.path().to_owned();
        let DataIdentity { are_images, shape: [.., expected], .. } = *self.data_identity();
        if are_images {
            return Err(RunError::NotPoints { run: run() });
        }
        if let Some(point) = points.iter().find(|point| point.len() != expected) {
            return Err(RunError::FeatureCount { run: run(), expected, given: point.len() });
        }
        let mut predictions = Vec::with_capacity(points.len());
        for point in points {
            let input: Vec<_> = point.iter().map(f32::to_string).collect();
            let example = Examples::features(expected, point.clone(), vec![0]);
            predictions.push(self.predict(input.join(","), &example)?);
        }
        Ok(predictions)
    }

    /// The prediction for a single example called `input`.
    fn predict(&self, input: String, example: &Examples) -> Result<Prediction, RunError> {
        let logits = self.classifier.logits(example, &[0], &self.device)?;
        let rows = log_probabilities(&self.classifier, logits);
        let probabilities: Vec<f32> = rows.concat().iter().map(|log| log.exp()).collect();
        let classes = &self.data_identity().classes;
        Ok(Prediction::new(input, classes, &probabilities))
    }
}
