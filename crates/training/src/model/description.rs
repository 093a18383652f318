//! What a file of weights needs to predict alone, in the metadata of the file.

use artifacts::DataIdentity;
use burn::tensor::{Bytes, Device};
use burn_pack::{Reader, Writer};
use models::{ModelConfig, ModelRegistry};
use serde::{Deserialize, Serialize};

use super::{Classifier, ClassifierConfig, ObjectiveConfig, Weights};
use crate::error::RunError;

/// Key of the metadata.
const KEY: &str = "trainer";

/// Description of a trained model: with its weights, all that predictions need. Equal trainings have
/// equal ones, whatever the name of the run and the files of its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// Version of the trainer.
    pub version: String,
    /// Architecture.
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
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(file.to_vec()));
        let reader = reader.map_err(|error| error.to_string())?;
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

    /// Adds the description to `file`, the weights that it describes in Burn's format.
    ///
    /// # Errors
    ///
    /// If the file has another format.
    pub fn added_to(mut self, file: &[u8]) -> Result<Vec<u8>, String> {
        let text = |error: burn_pack::Error| error.to_string();
        self.weights_sha256 = weights_sha256(file)?;
        let json = serde_json::to_string(&self).map_err(|error| error.to_string())?;
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(file.to_vec())).map_err(text)?;
        let scalars = reader.scalars().clone();
        let writer = Writer::new(reader.into_tensors().map_err(text)?).with_metadata(KEY, &json);
        let writer = scalars
            .into_iter()
            .fold(writer, |writer, (name, value)| writer.with_scalar(&name, value));
        Ok(writer.into_bytes().map_err(text)?.to_vec())
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

fn weights_sha256(file: &[u8]) -> Result<String, String> {
    let weights = Weights::parse(file.to_vec()).map_err(|error| error.to_string())?;
    weights.sha256().map_err(|error| error.to_string())
}
