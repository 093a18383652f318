use std::path::Path;

use artifacts::{
    DataIdentity, DecisionBoundary, Environment, Evaluation, RunDir, TestPredictions, write_json,
};
use burn::module::Module;
use burn::tensor::Device;
use data::{Examples, Split, SplitKind};
use data_sources::images::Frame;
use models::ModelRegistry;

use super::saved_model::{best_model, saved_model};
use super::{ModelSummary, resume};
use crate::config::RunConfig;
use crate::device;
use crate::error::RunError;
use crate::inference::{
    FirstBatch, ModelOutput, Prediction, calibrate, decision_boundary, deduplicate, evaluate,
    log_probabilities, rows, test_predictions,
};
use crate::model::{Classifier, saved_temperature};
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
        Self::load(path, device, models, saved_model)
    }

    /// As [`TrainedModel::open`], from `best_model.bpk` alone: fails if it is damaged, although there
    /// may be checkpoints.
    pub fn open_best(
        path: &Path,
        device: Option<&str>,
        models: &ModelRegistry,
    ) -> Result<Self, RunError> {
        Self::load(path, device, models, |run, _| best_model(run))
    }

    fn load(
        path: &Path,
        device: Option<&str>,
        models: &ModelRegistry,
        read: impl FnOnce(&RunDir, &Environment) -> Result<Vec<u8>, RunError>,
    ) -> Result<Self, RunError> {
        let run = RunDir::open(path)?;
        let config = RunConfig::read_with_models(&run.config(), &[], models)?;
        let environment = Environment::read(&run)?;
        let device = device::select(device)?.device;
        let model = read(&run, &environment)?;
        let DataIdentity { shape, classes, .. } = &environment.data;
        let classifier = config.classifier(*shape, classes.len()).init_empty(&device)?;
        let temperature =
            saved_temperature(&model).map_err(|error| RunError::Record(error.to_string()))?;
        let classifier = load_record(classifier, &model)?.valid().with_temperature(temperature);
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

    /// The temperature of the probabilities; `None` if none was fitted, for which a run needs a
    /// validation set.
    pub fn temperature(&self) -> Option<f64> {
        self.classifier.temperature()
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
        if split == SplitKind::Validation && self.temperature().is_some() {
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

    /// Shape and fit of the images that the model classifies.
    pub fn frame(&self) -> Result<Frame, RunError> {
        let DataIdentity { shape, are_images, fit, .. } = *self.data_identity();
        if !are_images {
            let run = self.run.path().to_owned();
            return Err(RunError::NotImages { run, features: shape[2] });
        }
        Ok(Frame { shape, fit: fit.unwrap_or_default() })
    }

    /// Predicts the class of each of the `images`, which are in the model's frame. `names` are the
    /// inputs of the predictions.
    pub fn predict_images(
        &self,
        names: &[String],
        images: &[Vec<u8>],
    ) -> Result<Vec<Prediction>, RunError> {
        let shape = self.frame()?.shape;
        self.predict(names, &Examples::images(shape, images.concat(), vec![0; images.len()]))
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
        let names = points.iter().map(|point| {
            let features: Vec<_> = point.iter().map(f32::to_string).collect();
            features.join(",")
        });
        let names: Vec<String> = names.collect();
        self.predict(&names, &Examples::features(expected, points.concat(), vec![0; points.len()]))
    }

    /// What the model computes for each of the `examples`, which have the shape of
    /// [`TrainedModel::data_identity`].
    pub fn outputs(&self, examples: &Examples) -> Result<Vec<ModelOutput>, RunError> {
        let mut outputs = Vec::with_capacity(examples.len());
        self.classifier.evaluate(examples, &self.device, |_, logits| {
            let log_probabilities = log_probabilities(&self.classifier, logits.clone());
            let rows = rows(logits).into_iter().zip(log_probabilities);
            outputs.extend(rows.map(|(logits, row)| ModelOutput {
                logits,
                probabilities: row.into_iter().map(f32::exp).collect(),
            }));
        })?;
        Ok(outputs)
    }

    /// The prediction for each of the `examples`, called `names`.
    fn predict(&self, names: &[String], examples: &Examples) -> Result<Vec<Prediction>, RunError> {
        let classes = &self.data_identity().classes;
        let outputs = names.iter().zip(self.outputs(examples)?);
        Ok(outputs
            .map(|(name, output)| Prediction::new(name.clone(), classes, &output.probabilities))
            .collect())
    }
}
