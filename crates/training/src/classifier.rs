use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorCreationOptions, TensorData};
use burn::train::{InferenceStep, TrainOutput, TrainStep};
use dataset::{DatasetError, Examples, Scaler, Statistics};
use models::{Model, Noise, Parameters};

use crate::config::RunConfig;
use crate::environment::DataIdentity;
use crate::error::RunError;
use crate::loader::Gathered;
use crate::objective::Objective;
use crate::scores::Scores;
use crate::session::Part;
use crate::{faults, finite};

/// A model with the normalisation that it was trained under and what it is trained for.
#[derive(Module, Debug)]
pub struct Classifier {
    normalizer: Normalizer,
    model: Model,
    #[module(skip)]
    objective: Objective,
    #[module(skip)]
    mirrored: bool,
}

/// The affine map of values to inputs. Fitted, not trained; saved with the weights.
#[derive(Module, Debug)]
struct Normalizer {
    shift: Param<Tensor<1>>,
    scale: Param<Tensor<1>>,
}

/// Examples on a device, normalised, with their labels.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Shape `[batch, height, width, channels]`.
    inputs: Tensor<4>,
    /// Class indices, shape `[batch]`.
    targets: Tensor<1, Int>,
    /// How much each class counts as a target, `[batch, classes]`, if not the label alone.
    soft_targets: Option<Tensor<2>>,
    /// The same class indices in host memory.
    labels: Arc<[u32]>,
    /// The randomness of the step, if it is one of training.
    pub noise: Option<Noise>,
    /// The number of examples of the step, of which this batch may be a part.
    pub step_examples: usize,
    /// How much its examples count.
    weight: f64,
    /// How much those of the step count.
    pub step_weight: f64,
}

impl Classifier {
    /// The classifier of `config` for `data` before its first step.
    pub fn initial(
        config: &RunConfig,
        data: &DataIdentity,
        statistics: &Statistics,
        precision: FloatDType,
        device: &Device,
    ) -> Result<Self, RunError> {
        let objective = config.objective.init(data.classes.len())?;
        let parameters = Parameters::new(config.seed, device).in_precision(precision);
        let outputs = objective.head.outputs(data.classes.len());
        let model = config.model.init(data.shape, outputs, parameters);
        let options = TensorCreationOptions::new(device.clone()).with_dtype(precision.into());
        // Numbered from the end, as the parameters of the model are from the start.
        let fixed = |values: &[f32], id| {
            let values = Tensor::from_data(values, options.clone());
            Param::initialized(ParamId::from(id), values)
        };
        let normalizer = Normalizer {
            shift: fixed(&statistics.shift, u64::MAX),
            scale: fixed(&statistics.scale, u64::MAX - 1),
        };
        Ok(Self { normalizer, model, objective, mirrored: config.evaluation.mirrored })
    }

    /// The same, with a weight for each class in its loss.
    pub fn with_class_weights(self, weights: Option<Vec<f64>>) -> Self {
        Self { objective: self.objective.with_class_weights(weights), ..self }
    }

    /// Gathers the examples at `items` onto `device`.
    pub fn batch(
        &self,
        examples: &Examples,
        items: &[usize],
        device: &Device,
    ) -> Result<Batch, DatasetError> {
        let labels = examples.labels_at(items).into();
        let inputs = examples.inputs(items, &self.scaler())?;
        let gathered = Gathered { inputs, labels, mix: None };
        Ok(self.place(gathered, examples.shape, device))
    }

    /// The map of values to inputs that the model is trained under.
    pub fn scaler(&self) -> Scaler {
        let host = |values: &Param<Tensor<1>>| {
            values.val().without_autodiff().into_data().iter::<f32>().collect()
        };
        let Normalizer { shift, scale } = &self.normalizer;
        Statistics { shift: host(shift), scale: host(scale) }.scaler()
    }

    /// Puts examples of `shape` that were gathered onto `device`.
    pub fn place(&self, gathered: Gathered, shape: [usize; 3], device: &Device) -> Batch {
        let Gathered { inputs, labels, mix } = gathered;
        let targets: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
        let count = targets.len();
        let soft_targets = self.objective.targets(&labels, mix.as_ref()).map(|soft| {
            let classes = soft.len() / count.max(1);
            Tensor::from_data(TensorData::new(soft, [count, classes]), device)
        });
        let weight = self.objective.weight(labels.iter().copied());
        Batch {
            inputs: self.inputs(inputs, count, shape, device),
            targets: Tensor::from_data(TensorData::new(targets, [count]), device),
            soft_targets,
            labels,
            noise: None,
            step_examples: count,
            weight,
            step_weight: weight,
        }
    }

    /// The examples at `items` of `batch`.
    #[expect(clippy::indexing_slicing, reason = "Burn's `select` panics on no such item as well")]
    pub fn part(&self, batch: &Batch, items: &[usize]) -> Batch {
        let indices: Vec<i32> = items.iter().map(|&item| item as i32).collect();
        let indices = TensorData::new(indices, [items.len()]);
        let indices = Tensor::<1, Int>::from_data(indices, &batch.inputs.device());
        let weight = self.objective.weight(items.iter().map(|&item| batch.labels[item]));
        let soft = batch.soft_targets.as_ref();
        Batch {
            inputs: batch.inputs.clone().select(0, indices.clone()),
            soft_targets: soft.map(|soft| soft.clone().select(0, indices.clone())),
            targets: batch.targets.clone().select(0, indices),
            labels: items.iter().map(|&item| batch.labels[item]).collect(),
            noise: None,
            step_examples: items.len(),
            weight,
            step_weight: weight,
        }
    }

    /// The logits `[items.len(), outputs]` of the examples at `items`.
    pub fn logits(
        &self,
        examples: &Examples,
        items: &[usize],
        device: &Device,
    ) -> Result<Tensor<2>, DatasetError> {
        let inputs = examples.inputs(items, &self.scaler())?;
        Ok(self.infer(self.inputs(inputs, items.len(), examples.shape, device)))
    }

    /// Inputs `[batch, height, width, channels]` to logits `[batch, outputs]`, as evaluation takes
    /// them.
    fn infer(&self, inputs: Tensor<4>) -> Tensor<2> {
        if !self.mirrored {
            return self.model.forward(inputs, None);
        }
        let mirrored = self.model.forward(inputs.clone().flip([2]), None);
        (self.model.forward(inputs, None) + mirrored) / 2
    }

    /// How much the examples at `items` count in the loss.
    pub fn weight(&self, examples: &Examples, items: &[usize]) -> f64 {
        let label = |item: &usize| examples.labels.get(*item).copied().unwrap_or_default();
        self.objective.weight(items.iter().map(label))
    }

    /// What is minimised.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The sum of the absolute values of all parameters: finite if every one of them is.
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

    /// The loss `[1]` of a batch, as its part of the step, and its logits `[batch, outputs]`.
    pub fn loss(&self, batch: &Batch) -> (Tensor<1>, Tensor<2>) {
        let logits = self.model.forward(batch.inputs.clone(), batch.noise.as_ref());
        let head = self.objective.head;
        let mut loss = match &batch.soft_targets {
            // Not divided: Burn's backward pass of that rounds to f32, also in f64.
            Some(targets) => head.cost(logits.clone(), targets.clone()) * (1.0 / batch.weight),
            None => head.loss(logits.clone(), batch.targets.clone()),
        };
        if let Some(penalty) = self.objective.penalty(&self.model, batch.step_examples) {
            loss = loss + penalty;
        }
        if batch.labels.len() < batch.step_examples {
            // The gradients of a step are the mean over all of its examples, as much as each counts.
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

    /// The logits `[batch, outputs]` of a batch, without gradients, and those of its loss.
    pub fn differentiate(&self, batch: &Batch) -> (Tensor<2>, GradientsParams) {
        let (loss, logits) = self.loss(batch);
        let gradients = GradientsParams::from_grads(loss.backward(), self);
        (logits.without_autodiff(), gradients)
    }

    /// The scores of logits `[labels.len(), outputs]` that were read.
    pub fn scores(&self, logits: TensorData, labels: &[u32]) -> Scores {
        let logits = logits.convert::<f32>();
        let logits = logits.as_slice::<f32>().unwrap_or_default();
        Scores::of(self.objective.head, logits, labels)
    }
}

impl Batch {
    /// The class indices, in host memory.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// What is to be read of it later, with its logits `[batch, outputs]`.
    pub fn unread(&self, logits: Tensor<2>) -> Part {
        let input_sum = self.inputs.clone().without_autodiff().abs().sum();
        Part { logits, input_sum, labels: Arc::clone(&self.labels) }
    }

    /// Whether all inputs are finite.
    pub fn is_finite(&self) -> bool {
        finite::is_finite(self.inputs.clone())
    }

    /// Puts `value` in place of the first input.
    pub fn spoil(&mut self, value: f32) {
        self.inputs = faults::with_first(self.inputs.clone(), value);
    }
}

impl TrainStep for Classifier {
    type Input = Batch;
    type Output = Scores;

    fn step(&self, batch: Batch) -> TrainOutput<Scores> {
        let (logits, grads) = self.differentiate(&batch);
        TrainOutput { grads, item: self.scores(logits.into_data(), &batch.labels) }
    }
}

impl InferenceStep for Classifier {
    type Input = Batch;
    type Output = Scores;

    fn step(&self, batch: Batch) -> Scores {
        let logits = self.infer(batch.inputs.clone());
        self.scores(logits.into_data(), &batch.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The logits of a model with random weights for one image of 2 x 3 pixels.
    fn logits(mirrored: bool, pixels: [u8; 6]) -> Vec<f32> {
        let text = format!(
            "name = \"one\"\ndataset.points = {{}}\nmodel.mlp.hidden = [8]\ntraining.epochs = 1\n\
             optimizer.adam = {{}}\nevaluation.mirrored = {mirrored}\n"
        );
        let config: RunConfig = toml::from_str(&text).unwrap();
        let image = || Examples::images([2, 3, 1], pixels.to_vec(), vec![0]);
        let classes = ["a", "b", "c"].map(String::from).to_vec();
        let data = dataset::Split { train: image(), validation: None, test: image(), classes };
        let statistics = Statistics { shift: vec![100.0], scale: vec![50.0] };
        let (identity, device) = (DataIdentity::of(&data), Device::default());
        let classifier =
            Classifier::initial(&config, &identity, &statistics, FloatDType::F32, &device).unwrap();
        classifier.logits(&data.test, &[0], &device).unwrap().into_data().iter().collect()
    }

    #[test]
    fn mirrored_evaluation_takes_the_mean_of_an_image_and_its_mirror_image() {
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
