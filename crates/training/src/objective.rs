use std::ops::AddAssign;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use dataset::{LabelledImages, Statistics};
use models::{Model, ModelConfig};
use serde::{Deserialize, Serialize};

/// A model with the normalisation that it was trained under: raw pixels to logits.
#[derive(Module, Debug)]
pub struct Classifier {
    normalizer: Normalizer,
    model: Model,
}

/// The affine map of pixels to inputs. Fitted, not trained; saved with the weights.
#[derive(Module, Debug)]
struct Normalizer {
    shift: Param<Tensor<1>>,
    scale: Param<Tensor<1>>,
}

/// Images on a device with their labels.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Pixels from 0 to 255, shape `[batch, height, width, channels]`.
    pub images: Tensor<4>,
    /// Class indices, shape `[batch]`.
    pub labels: Tensor<1, Int>,
}

/// Sums over images, of which every metric is a quotient.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// The sum of the losses.
    pub loss_sum: f64,
    /// How many were classified rightly.
    pub correct: u64,
    /// How many there were.
    pub count: u64,
}

impl Classifier {
    /// `model` behind the normalisation by `statistics`.
    pub fn new(model: Model, statistics: &Statistics, device: &Device) -> Self {
        // Numbered from the end, as the parameters of the model are from the start.
        let fixed = |values: &[f32], id| {
            let values = Tensor::from_floats(values, device);
            Param::initialized(ParamId::from(id), values)
        };
        let normalizer = Normalizer {
            shift: fixed(&statistics.shift, u64::MAX),
            scale: fixed(&statistics.scale, u64::MAX - 1),
        };
        Self { normalizer, model }
    }

    /// The number of parameters of such a classifier, without drawing any. At most as many as a
    /// plan has found to fit into memory.
    pub fn parameters(model: &ModelConfig, image: [usize; 3], classes: usize) -> usize {
        let [.., channels] = image;
        // One shift and one scale a channel.
        model.parameters(image, classes).unwrap_or(usize::MAX).saturating_add(2 * channels)
    }

    /// Pixels `[batch, height, width, channels]` to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.model.forward(self.normalizer.forward(images))
    }

    /// The sum of the absolute values of all parameters: finite if every one of them is.
    pub fn magnitude(&self) -> f64 {
        struct Magnitude(f64);
        impl ModuleVisitor for Magnitude {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let sum = param.val().without_autodiff().abs().sum();
                self.0 += f64::from(sum.into_scalar::<f32>());
            }
        }
        let mut magnitude = Magnitude(0.0);
        self.visit(&mut magnitude);
        magnitude.0
    }

    /// Loss `[1]` and logits `[batch, classes]` of a batch.
    fn objective(&self, batch: Batch) -> (Tensor<1>, Scores) {
        let device = batch.images.device();
        let logits = self.forward(batch.images);
        let loss = CrossEntropyLossConfig::new().init(&device);
        let loss = loss.forward(logits.clone(), batch.labels.clone());
        let scores = Scores::of(&loss, logits, batch.labels);
        (loss, scores)
    }
}

impl Normalizer {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [.., channels] = images.dims();
        let shift = self.shift.val().reshape([1, 1, 1, channels]);
        let scale = self.scale.val().reshape([1, 1, 1, channels]);
        (images - shift) / scale
    }
}

impl TrainStep for Classifier {
    type Input = Batch;
    type Output = Scores;

    fn step(&self, batch: Batch) -> TrainOutput<Scores> {
        let (loss, scores) = self.objective(batch);
        TrainOutput::new(self, loss.backward(), scores)
    }
}

impl InferenceStep for Classifier {
    type Input = Batch;
    type Output = Scores;

    fn step(&self, batch: Batch) -> Scores {
        self.objective(batch).1
    }
}

impl Batch {
    /// Gathers the images at `items` onto `device`.
    pub fn gather(images: &LabelledImages, items: &[usize], device: &Device) -> Self {
        let [height, width, channels] = images.shape;
        let pixels = items.iter().flat_map(|&item| images.pixels_of(item)).map(|&p| f32::from(p));
        let mut values = Vec::with_capacity(items.len() * images.values());
        values.extend(pixels);
        let labels: Vec<i32> = items.iter().map(|&item| images.labels[item] as i32).collect();
        Self {
            images: Tensor::from_data(
                TensorData::new(values, [items.len(), height, width, channels]),
                device,
            ),
            labels: Tensor::from_data(TensorData::new(labels, [items.len()]), device),
        }
    }
}

impl Scores {
    /// The scores of a batch with mean loss `[1]`, logits `[batch, classes]`, labels `[batch]`.
    fn of(loss: &Tensor<1>, logits: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        let [count] = labels.dims();
        let predicted = logits.without_autodiff().argmax(1).flatten::<1>(0, 1);
        let correct = predicted.equal(labels.without_autodiff()).int().sum();
        Self {
            loss_sum: f64::from(loss.clone().into_scalar::<f32>()) * count as f64,
            correct: correct.into_scalar::<i32>() as u64,
            count: count as u64,
        }
    }

    /// The mean loss.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.count as f64
    }

    /// The share of images that were classified rightly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.count as f64
    }
}

impl AddAssign for Scores {
    fn add_assign(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.count += other.count;
    }
}

impl ItemLazy for Scores {
    fn sync(self) -> Result<Self, burn::tensor::ExecutionError> {
        Ok(self)
    }
}
