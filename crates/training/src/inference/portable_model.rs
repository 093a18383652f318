use std::collections::BTreeMap;

use burn::tensor::TensorData;
use export::{PortableModel, Tensor};

use super::Predictor;
use crate::error::RunError;
use crate::model::{ModelDescription, Weights};

impl Predictor {
    /// The model as data, from which other formats are written.
    pub fn portable(&self) -> Result<PortableModel, RunError> {
        let ModelDescription { model, objective, mirrored, data, .. } = self.description();
        let outputs = objective.outputs(data.classes.len());
        let layers = model.layers(data.shape, outputs);
        let mut tensors = self.tensors()?;
        let mut of_normalizer =
            |name| tensors.remove(name).map(|tensor| tensor.values).unwrap_or_default();
        let (shift, scale) = (of_normalizer("normalizer.shift"), of_normalizer("normalizer.scale"));
        Ok(PortableModel {
            name: self.name().to_owned(),
            layers: layers.ok_or(RunError::TooLarge { needed: None, available: 0 })?,
            tensors: tensors.into_iter().map(|(name, tensor)| (in_model(&name), tensor)).collect(),
            shift,
            scale,
            shape: data.shape,
            fit: data.are_images.then(|| data.fit.unwrap_or_default()),
            classes: data.classes.clone(),
            outputs,
            mirrored: *mirrored,
            temperature: self.temperature().unwrap_or(1.0),
        })
    }

    fn tensors(&self) -> Result<BTreeMap<String, Tensor>, RunError> {
        let weights = Weights::of(self.classifier()).map_err(RunError::Record)?;
        let values = weights.values().map_err(|error| RunError::Record(error.to_string()))?;
        Ok(values.into_iter().map(|(name, data)| (name.to_owned(), tensor(&data))).collect())
    }
}

fn tensor(data: &TensorData) -> Tensor {
    Tensor { shape: data.shape().to_vec(), values: data.iter::<f32>().collect() }
}

/// The path in the model of a tensor of a classifier: `output.weight` for `model.Cnn.output.weight`.
fn in_model(name: &str) -> String {
    name.splitn(3, '.').last().unwrap_or(name).to_owned()
}
