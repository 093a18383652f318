mod config;
mod normalizer;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use data::{DatasetError, Examples, Scaler};
use models::Model;

use super::{Objective, Scores};
use crate::batch::{Batch, HostBatch};
use normalizer::Normalizer;

pub use config::ClassifierConfig;

/// Number of examples evaluated at once: few, so that their activations fit into the memory that
/// training has used.
pub const EVALUATION_BATCH: usize = 32;

/// A model with its normalisation and its objective.
#[derive(Module, Debug)]
pub struct Classifier {
    normalizer: Normalizer,
    model: Model,
    #[module(skip)]
    objective: Objective,
    #[module(skip)]
    mirrored: bool,
    /// Divisor of the logits in probabilities, if it was fitted.
    #[module(skip)]
    temperature: Option<f64>,
}

impl Classifier {
    /// Takes the first `stages` of the model out of training, and all others in.
    #[must_use]
    pub fn with_frozen(self, stages: usize) -> Self {
        let trained = self.valid().train();
        Self { model: trained.model.freeze(stages), ..trained }
    }

    pub fn with_class_weights(self, weights: Option<Vec<f64>>) -> Self {
        Self { objective: self.objective.with_class_weights(weights), ..self }
    }

    pub fn with_temperature(self, temperature: Option<f64>) -> Self {
        Self { temperature, ..self }
    }

    pub fn temperature(&self) -> Option<f64> {
        self.temperature
    }

    /// Natural logarithm of the probability of each class, `[batch, classes]`, for logits `[batch,
    /// outputs]`.
    pub fn log_probabilities(&self, logits: Tensor<2>) -> Tensor<2> {
        let logits = match self.temperature {
            Some(temperature) => logits / temperature,
            None => logits,
        };
        self.objective.head.log_probabilities(logits)
    }

    pub fn batch(
        &self,
        examples: &Examples,
        items: &[usize],
        device: &Device,
    ) -> Result<Batch, DatasetError> {
        let labels = examples.labels_at(items).into();
        let inputs = examples.inputs(items, &self.scaler())?;
        let batch = HostBatch { inputs, labels, mix: None };
        Ok(self.to_device(batch, examples.shape, device))
    }

    pub fn scaler(&self) -> Scaler {
        self.normalizer.scaler()
    }

    /// Moves a batch of examples of `shape` to `device`.
    pub fn to_device(&self, batch: HostBatch, shape: [usize; 3], device: &Device) -> Batch {
        let HostBatch { inputs, labels, mix } = batch;
        let targets: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
        let count = targets.len();
        let soft_targets = self.objective.targets(&labels, mix.as_ref()).map(|soft| {
            let classes = soft.len() / count.max(1);
            Tensor::from_data(TensorData::new(soft, [count, classes]), device)
        });
        let weight = self.objective.weight(labels.iter().copied());
        Batch {
            inputs: self.inputs(inputs, count, shape, device),
            are_features: false,
            targets: Tensor::from_data(TensorData::new(targets, [count]), device),
            soft_targets,
            labels,
            dropout: None,
            step_examples: count,
            weight,
            step_weight: weight,
        }
    }

    #[expect(clippy::indexing_slicing, reason = "Burn's `select` panics out of bounds as well")]
    pub fn select(&self, batch: &Batch, items: &[usize]) -> Batch {
        let indices: Vec<i32> = items.iter().map(|&item| item as i32).collect();
        let indices = TensorData::new(indices, [items.len()]);
        let indices = Tensor::<1, Int>::from_data(indices, &batch.inputs.device());
        let weight = self.objective.weight(items.iter().map(|&item| batch.labels[item]));
        let soft = batch.soft_targets.as_ref();
        Batch {
            inputs: batch.inputs.clone().select(0, indices.clone()),
            are_features: batch.are_features,
            soft_targets: soft.map(|soft| soft.clone().select(0, indices.clone())),
            targets: batch.targets.clone().select(0, indices),
            labels: items.iter().map(|&item| batch.labels[item]).collect(),
            dropout: None,
            step_examples: items.len(),
            weight,
            step_weight: weight,
        }
    }

    /// The features of all `examples`, the inputs of the output layer, as one batch on `device`.
    pub fn features(&self, examples: &Examples, device: &Device) -> Result<Batch, DatasetError> {
        let (scaler, inner) = (self.scaler(), device.clone().inner());
        let all: Vec<usize> = (0..examples.len()).collect();
        let mut values: Vec<f32> = Vec::new();
        for items in all.chunks(EVALUATION_BATCH) {
            let inputs = examples.inputs(items, &scaler)?;
            let inputs = self.inputs(inputs, items.len(), examples.shape, &inner);
            values.extend(self.model.features(inputs, None).into_data().iter::<f32>());
        }
        let shape = [1, 1, values.len() / all.len().max(1)];
        let batch =
            HostBatch { inputs: values, labels: examples.labels_at(&all).into(), mix: None };
        Ok(Batch { are_features: true, ..self.to_device(batch, shape, device) })
    }

    /// [`Classifier::evaluate`] of the examples with these [features](Classifier::features). Those of
    /// mirror images are not among them.
    pub fn evaluate_features(&self, features: &Batch, mut visit: impl FnMut(&[usize], Tensor<2>)) {
        let order: Vec<usize> = (0..features.labels.len()).collect();
        for items in order.chunks(EVALUATION_BATCH) {
            let inputs = self.select(features, items).inputs;
            visit(items, self.model.head(inputs.flatten(1, 3), None));
        }
    }

    /// Whether evaluation averages each image and its mirror image.
    pub fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    /// The logits `[items.len(), outputs]` of the examples at `items`, without dropout.
    pub fn logits(
        &self,
        examples: &Examples,
        items: &[usize],
        device: &Device,
    ) -> Result<Tensor<2>, DatasetError> {
        let inputs = examples.inputs(items, &self.scaler())?;
        Ok(self.infer(self.inputs(inputs, items.len(), examples.shape, device)))
    }

    /// Calls `visit` with the indices and the logits `[items, outputs]` of batch after batch of
    /// `examples`, in order.
    pub fn evaluate(
        &self,
        examples: &Examples,
        device: &Device,
        mut visit: impl FnMut(&[usize], Tensor<2>),
    ) -> Result<(), DatasetError> {
        let order: Vec<usize> = (0..examples.len()).collect();
        for items in order.chunks(EVALUATION_BATCH) {
            visit(items, self.logits(examples, items, device)?);
        }
        Ok(())
    }

    /// Inputs `[batch, height, width, channels]` to logits `[batch, outputs]` for evaluation.
    pub fn infer(&self, inputs: Tensor<4>) -> Tensor<2> {
        if !self.mirrored {
            return self.model.forward(inputs, None);
        }
        let mirrored = self.model.forward(inputs.clone().flip([2]), None);
        (self.model.forward(inputs, None) + mirrored) / 2
    }

    /// Sum of the weights of the examples at `items` in the loss.
    pub fn weight(&self, examples: &Examples, items: &[usize]) -> f64 {
        let label = |item: &usize| examples.labels.get(*item).copied().unwrap_or_default();
        self.objective.weight(items.iter().map(label))
    }

    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The sum of the absolute values of all parameters: finite if each of them is.
    pub fn magnitude(&self) -> f64 {
        struct Magnitudes(Vec<Tensor<1>>);
        impl ModuleVisitor for Magnitudes {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.push(param.val().without_autodiff().abs().sum());
            }
        }
        let mut magnitudes = Magnitudes(Vec::new());
        self.visit(&mut magnitudes);
        Tensor::cat(magnitudes.0, 0).into_data().convert::<f64>().iter::<f64>().sum()
    }

    /// The loss `[1]` of a batch, as its share of the step, and its logits `[batch, outputs]`.
    pub fn loss(&self, batch: &Batch) -> (Tensor<1>, Tensor<2>) {
        let (inputs, rng) = (batch.inputs.clone(), batch.dropout.as_ref());
        let logits = match batch.are_features {
            true => self.model.head(inputs.flatten(1, 3), rng),
            false => self.model.forward(inputs, rng),
        };
        let head = self.objective.head;
        let mut loss = match &batch.soft_targets {
            // Not a division: Burn's backward pass of one rounds to f32 even in f64.
            Some(targets) => head.cost(logits.clone(), targets.clone()) * (1.0 / batch.weight),
            None => head.loss(logits.clone(), batch.targets.clone()),
        };
        if let Some(penalty) = self.objective.penalty(&self.model, batch.step_examples) {
            loss = loss + penalty;
        }
        if batch.labels.len() < batch.step_examples {
            // The gradient of a step is the weighted mean over all of its examples.
            loss = loss * (batch.weight / batch.step_weight);
        }
        (loss, logits)
    }

    /// The tensor `[count, height, width, channels]` of `inputs`.
    fn inputs(
        &self,
        inputs: Vec<f32>,
        count: usize,
        [height, width, channels]: [usize; 3],
        device: &Device,
    ) -> Tensor<4> {
        let inputs = TensorData::new(inputs, [count, height, width, channels]);
        let precision = self.normalizer.shift.val().dtype();
        Tensor::from_data(inputs, (device, precision))
    }

    /// Forward and backward pass: the logits `[batch, outputs]` of a batch, without autodiff, and
    /// the gradients of its loss.
    pub fn forward_backward(&self, batch: &Batch) -> (Tensor<2>, GradientsParams) {
        let (loss, logits) = self.loss(batch);
        let gradients = GradientsParams::from_grads(loss.backward(), self);
        (logits.without_autodiff(), gradients)
    }

    /// The scores of the logits `[labels.len(), outputs]`.
    pub fn scores(&self, logits: TensorData, labels: &[u32]) -> Scores {
        let logits = logits.convert::<f32>();
        let logits = logits.as_slice::<f32>().unwrap_or_default();
        Scores::new(self.objective.head, logits, labels)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::FloatDType;
    use data::Statistics;
    use models::{MlpConfig, ModelConfig};

    use super::*;
    use crate::model::ObjectiveConfig;

    /// The logits of a model with random weights for one image of 2 x 3 pixels.
    fn logits(mirrored: bool, pixels: [u8; 6]) -> Vec<f32> {
        let model = ModelConfig::Mlp(MlpConfig { hidden: vec![8], ..MlpConfig::default() });
        let objective = ObjectiveConfig::default();
        let config = ClassifierConfig {
            model: &model,
            objective: &objective,
            mirrored,
            seed: 1,
            shape: [2, 3, 1],
            classes: 3,
        };
        let image = Examples::images([2, 3, 1], pixels.to_vec(), vec![0]);
        let statistics = Statistics { shift: vec![100.0], scale: vec![50.0] };
        let device = Device::default();
        let classifier = config.init(&statistics, FloatDType::F32, &device).unwrap();
        classifier.logits(&image, &[0], &device).unwrap().into_data().iter().collect()
    }

    #[test]
    fn mirrored_evaluation_averages_an_image_and_its_mirror_image() {
        let (image, mirror) = ([1, 90, 250, 40, 5, 130], [250, 90, 1, 130, 5, 40]);
        let both = logits(true, image);
        assert_eq!(both, logits(true, mirror));
        let each = logits(false, image).into_iter().zip(logits(false, mirror));
        for (both, (one, other)) in both.iter().zip(each) {
            assert!((both - (one + other) / 2.0).abs() < 1e-6);
            assert!(one != other);
        }
    }
}
