use std::path::{Path, PathBuf};

use artifacts::DataIdentity;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use data::Examples;
use data_sources::images::Frame;
use kernels::FilterCache;
use models::ModelRegistry;
use support::regular_file;

use super::{ModelOutput, Prediction, log_probabilities, rows};
use crate::device;
use crate::error::RunError;
use crate::model::{Classifier, ModelDescription, saved_temperature};
use crate::trainer::load_record;

/// A trained model that predicts: of a run, or of the file `best_model.bpk` alone.
pub struct Predictor {
    /// The run directory or the file.
    path: PathBuf,
    name: String,
    description: ModelDescription,
    classifier: Classifier,
    filters: FilterCache,
    device: Device,
}

impl Predictor {
    /// Loads the model in the file at `path`, which is built in or in `models`, onto `device`,
    /// otherwise the best device.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or has weights alone.
    pub fn open(
        path: &Path,
        device: Option<&str>,
        models: &ModelRegistry,
    ) -> Result<Self, RunError> {
        let not_a_model = |reason: String| RunError::NotAModel { path: path.to_owned(), reason };
        let bytes = regular_file::read(path).map_err(|error| not_a_model(error.to_string()))?;
        let description = ModelDescription::read(&bytes, models).map_err(not_a_model)?;
        let description = description.ok_or_else(|| {
            not_a_model("it has weights, but does not say of which model".to_owned())
        })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::load(path, &name, &bytes, description, device)
    }

    /// Loads `model`, a file of weights in Burn's format with this description. `path` is where it
    /// comes from, for messages.
    pub(crate) fn load(
        path: &Path,
        name: &str,
        model: &[u8],
        description: ModelDescription,
        device: Option<&str>,
    ) -> Result<Self, RunError> {
        let device = device::select(device)?.device;
        let temperature =
            saved_temperature(model).map_err(|error| RunError::Record(error.to_string()))?;
        let classifier = load_record(description.init_empty(&device)?, model)?;
        let classifier = classifier.valid().with_temperature(temperature);
        let (path, name) = (path.to_owned(), name.to_owned());
        Ok(Self { path, name, description, classifier, filters: FilterCache::default(), device })
    }

    /// Name of the experiment, or of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Identity of the data the model was trained and tested on.
    pub fn data_identity(&self) -> &DataIdentity {
        &self.description.data
    }

    /// The temperature of the probabilities; `None` if none was fitted, for which a run needs a
    /// validation set.
    pub fn temperature(&self) -> Option<f64> {
        self.classifier.temperature()
    }

    pub(crate) fn description(&self) -> &ModelDescription {
        &self.description
    }

    pub(crate) fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Shape and fit of the images that the model classifies.
    pub fn frame(&self) -> Result<Frame, RunError> {
        let DataIdentity { shape, are_images, fit, .. } = *self.data_identity();
        if !are_images {
            let run = self.path.clone();
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
        let run = || self.path.clone();
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
    /// [`Predictor::data_identity`].
    pub fn outputs(&self, examples: &Examples) -> Result<Vec<ModelOutput>, RunError> {
        let mut outputs = Vec::with_capacity(examples.len());
        let visit = |_: &[usize], logits: Tensor<2>| {
            let log_probabilities = log_probabilities(&self.classifier, logits.clone());
            let rows = rows(logits).into_iter().zip(log_probabilities);
            outputs.extend(rows.map(|(logits, row)| ModelOutput {
                logits,
                probabilities: row.into_iter().map(f32::exp).collect(),
            }));
        };
        self.filters.scope(|| self.classifier.evaluate(examples, &self.device, visit))?;
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
