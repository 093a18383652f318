use burn::tensor::{Device, FloatDType};
use data::Statistics;
use models::{ModelConfig, ParameterInit};

use super::Classifier;
use super::normalizer::Normalizer;
use crate::error::RunError;
use crate::model::ObjectiveConfig;

#[derive(Debug, Clone, Copy)]
pub struct ClassifierConfig<'a> {
    pub model: &'a ModelConfig,
    pub objective: &'a ObjectiveConfig,
    /// True to average the logits of each image and its horizontal mirror image.
    pub mirrored: bool,
    pub seed: u64,
    /// Height, width and channels of an image, or 1, 1 and the number of features.
    pub shape: [usize; 3],
    pub classes: usize,
}

impl ClassifierConfig<'_> {
    /// The classifier before its first step, in `precision` on `device`.
    pub fn init(
        &self,
        statistics: &Statistics,
        precision: FloatDType,
        device: &Device,
    ) -> Result<Classifier, RunError> {
        let objective = self.objective.init(self.classes)?;
        let init = ParameterInit::new(self.seed, device).with_precision(precision);
        let outputs = objective.head.outputs(self.classes);
        let model = self.model.init(self.shape, outputs, init)?;
        let normalizer = Normalizer::new(statistics, precision, device);
        Ok(Classifier { normalizer, model, objective, mirrored: self.mirrored, temperature: None })
    }

    /// A classifier with tensors of the right shapes, to load a checkpoint into.
    pub fn init_empty(&self, device: &Device) -> Result<Classifier, RunError> {
        let [.., channels] = self.shape;
        let identity = Statistics { shift: vec![0.0; channels], scale: vec![1.0; channels] };
        self.init(&identity, FloatDType::F32, device)
    }
}
