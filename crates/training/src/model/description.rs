//! What a file of weights needs to predict alone, in the metadata of the file.

use artifacts::DataIdentity;
use burn::tensor::{Bytes, Device};
use burn_pack::{Error, Reader, Scalar, Writer};
use models::{ModelConfig, ModelRegistry};
use serde::{Deserialize, Serialize};

use super::{Classifier, ClassifierConfig, ObjectiveConfig, Weights};
use crate::error::RunError;

const KEY: &str = "trainer";
const TEMPERATURE: &str = "temperature";

/// Description of a trained model: with its weights, all that predictions need. Equal trainings have
/// equal ones, whatever the name of the run and the files of its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDescription {
    pub version: String,
    pub model: ModelConfig,
    /// Head, and what it was trained by.
    pub objective: ObjectiveConfig,
    /// True to average the logits of each image and its mirror image.
    pub mirrored: bool,
    /// Classes, shape and resizing of the examples; without the checksums of their files, on which
    /// the model does not depend.
    pub data: DataIdentity,
    /// SHA-256 of the tensors.
    pub weights_sha256: String,
}

impl ModelDescription {
    /// The description in `file`, weights in Burn's format; `None` if it has none.
    ///
    /// # Errors
    ///
    /// If the file has another format, is damaged, or has a model that is not in `models`.
    pub fn read(file: &[u8], models: &ModelRegistry) -> Result<Option<Self>, String> {
        let reader = reader(file).map_err(|error| error.to_string())?;
        let Some(text) = reader.metadata().get(KEY) else { return Ok(None) };
        let mut description: Self =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let ModelConfig::Custom(custom) = &description.model {
            description.model = ModelConfig::Custom(models.resolve(custom)?);
        }
        if description.weights_sha256 != weights_sha256(file)? {
            return Err("the checksum of its weights does not match".to_owned());
        }
        Ok(Some(description))
    }

    /// Adds the description, and the temperature if there is one, to `file`, the weights that it
    /// describes in Burn's format.
    ///
    /// # Errors
    ///
    /// If the file has another format.
    pub fn added_to(mut self, file: &[u8], temperature: Option<f64>) -> Result<Vec<u8>, String> {
        self.weights_sha256 = weights_sha256(file)?;
        let json = serde_json::to_string(&self).map_err(|error| error.to_string())?;
        let with_description = || {
            let writer = Writer::new(reader(file)?.into_tensors()?).with_metadata(KEY, &json);
            let writer = match temperature {
                Some(value) => writer.with_scalar(TEMPERATURE, Scalar::Float(value)),
                None => writer,
            };
            Ok(writer.into_bytes()?.to_vec())
        };
        with_description().map_err(|error: Error| error.to_string())
    }

    /// A classifier of this kind, to load the weights into.
    ///
    /// # Errors
    ///
    /// If the model is not registered.
    pub fn init_empty(&self, device: &Device) -> Result<Classifier, RunError> {
        let config = ClassifierConfig {
            model: &self.model,
            objective: &self.objective,
            mirrored: self.mirrored,
            seed: 1,
            shape: self.data.shape,
            classes: self.data.classes.len(),
        };
        config.init_empty(device)
    }
}

/// The temperature in `model`, a file of weights in Burn's format; `None` if it has none.
///
/// # Errors
///
/// If the file has another format or is cut.
pub fn saved_temperature(model: &[u8]) -> Result<Option<f64>, Error> {
    Ok(match reader(model)?.scalars().get(TEMPERATURE) {
        Some(Scalar::Float(value)) if value.is_normal() && *value > 0.0 => Some(*value),
        _ => None,
    })
}

fn reader(file: &[u8]) -> Result<Reader, Error> {
    Reader::from_bytes(Bytes::from_bytes_vec(file.to_vec()))
}

fn weights_sha256(file: &[u8]) -> Result<String, String> {
    let weights = Weights::parse(file.to_vec()).map_err(|error| error.to_string())?;
    weights.sha256().map_err(|error| error.to_string())
}
