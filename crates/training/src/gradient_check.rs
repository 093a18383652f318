//! Whether the gradients of an experiment are those of its cost: backpropagation against centred
//! differences, in f64.
//!
//! The measure is the courses': `||g - g'|| / (||g|| + ||g'||)`, with `g` from the backward pass,
//! `g'` from the forward pass alone, and Euclidean norms.

mod analytic;
mod numeric;
mod plant;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, FloatDType};
use dataset::{DatasetError, Split, Statistics, Work, shuffled};
use models::Noise;
use serde::Serialize;

use crate::classifier::{Batch, Classifier};
use crate::config::RunConfig;
use crate::device;
use crate::environment::DataIdentity;
use crate::error::RunError;
use crate::estimate::Estimate;
use analytic::Gradient;
use numeric::Cost;

pub use plant::{Plant, Planted};

/// How to check gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientCheckOptions {
    /// The number of training examples of the batch; all of them if there are fewer.
    pub examples: usize,
    /// The number of elements to check of each tensor; all of them if there are fewer.
    pub samples: usize,
    /// The relative difference below which gradients agree.
    pub threshold: f64,
    /// An error to make in the backward pass, to see whether the check finds it.
    pub plant: Option<Plant>,
}

/// What the check of the gradients of an experiment found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GradientCheck {
    /// The name of the experiment.
    pub name: String,
    /// Whether the data are the drawn stand-in rather than real.
    pub stand_in: bool,
    /// The number of training examples of the batch.
    pub examples: usize,
    /// The cost of the batch under the first weights, penalty included.
    pub cost: f64,
    /// What was found of each tensor of parameters, in the order of the model.
    pub tensors: Vec<TensorCheck>,
    /// The relative difference over all checked elements.
    pub difference: f64,
    /// The relative difference below which gradients agree.
    pub threshold: f64,
    /// Whether they do.
    pub passed: bool,
    /// The error that was made on purpose.
    pub planted: Option<Planted>,
}

/// What was found of the gradient of one tensor of parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorCheck {
    /// Where the tensor is in the model, for example `hidden.0.linear.weight`.
    pub name: String,
    /// The shape of the tensor.
    pub shape: Vec<usize>,
    /// The number of elements that were checked.
    pub checked: usize,
    /// The number of elements passed over, since the cost has a kink there.
    pub skipped: usize,
    /// The relative difference over the checked elements; none if there is a kink at each.
    pub difference: Option<f64>,
}

impl Default for GradientCheckOptions {
    /// The threshold is the course's.
    fn default() -> Self {
        Self { examples: 32, samples: 50, threshold: 2e-7, plant: None }
    }
}

impl GradientCheck {
    /// Checks the gradients of `config` under its first weights. Its device does not matter: it
    /// is the best processor of this build.
    pub fn of(config: &RunConfig, options: &GradientCheckOptions) -> Result<Self, RunError> {
        let device = device::processor()?.device.autodiff();
        let dataset = config.dataset.resolve()?;
        let config = RunConfig { dataset, ..config.clone() };
        let (data, identity) = DataIdentity::load(&config)?;
        config.check_against(&data)?;
        Estimate::of(&config, &data, true)?.must_fit_memory()?;
        Subject::new(config, &data, identity, device)?.check(&data, options)
    }
}

/// An experiment whose gradients are checked.
struct Subject {
    config: RunConfig,
    identity: DataIdentity,
    statistics: Statistics,
    class_weights: Option<Vec<f64>>,
    device: Device,
}

impl Subject {
    /// The `config` for `data` on `device`, which has autodiff.
    fn new(
        config: RunConfig,
        data: &Split,
        identity: DataIdentity,
        device: Device,
    ) -> Result<Self, DatasetError> {
        let statistics = config.input.normalization.fit(&data.train)?;
        let class_weights = &config.objective.class_weights;
        let class_weights = class_weights.fit(&data.train.labels, data.classes.len());
        Ok(Self { config, identity, statistics, class_weights, device })
    }

    fn check(
        self,
        data: &Split,
        options: &GradientCheckOptions,
    ) -> Result<GradientCheck, RunError> {
        let classifier = self.classifier(&self.config)?;
        let batch = self.batch(&classifier, data, options.examples)?;
        let mut gradients = analytic::gradients(&classifier, &batch);
        let planted = match options.plant {
            Some(plant) => Some(plant.apply(&self, &batch, &mut gradients)?),
            None => None,
        };
        let cost = Cost::new(&classifier, &batch);
        if !cost.value().is_finite() {
            return Err(RunError::CostNotFinite { cost: cost.value() });
        }
        let pairs = self.pairs(&cost, &gradients, options.samples);
        Ok(self.report(&cost, &gradients, &pairs, planted, options))
    }

    /// The classifier of `config` before its first step.
    fn classifier(&self, config: &RunConfig) -> Result<Classifier, RunError> {
        let Self { identity, statistics, device, .. } = self;
        let classifier =
            Classifier::initial(config, identity, statistics, FloatDType::F64, device)?;
        Ok(classifier.with_class_weights(self.class_weights.clone()))
    }

    /// The first so many examples of the first epoch, with the noise of the first step.
    fn batch(
        &self,
        classifier: &Classifier,
        data: &Split,
        examples: usize,
    ) -> Result<Batch, DatasetError> {
        let seed = self.config.seed;
        let mut items = shuffled(data.train.len(), seed, 1);
        items.truncate(examples.max(1));
        let mut batch = classifier.batch(&data.train, &items, &self.device)?;
        batch.noise = Some(Noise { seed, step: 0, part: 0 });
        Ok(batch)
    }

    /// What is compared of each tensor.
    fn pairs(&self, cost: &Cost, gradients: &[Gradient], samples: usize) -> Vec<Pairs> {
        let each = gradients.iter().map(|gradient| gradient.values.len().min(samples));
        let work = Work::begin("checking gradients", each.sum());
        let of = |(tensor, gradient): (usize, &Gradient)| {
            let order = shuffled(gradient.values.len(), self.config.seed, tensor as u64);
            Pairs::of(gradient, cost, &order, samples, &work)
        };
        gradients.iter().enumerate().map(of).collect()
    }

    fn report(
        &self,
        cost: &Cost,
        gradients: &[Gradient],
        pairs: &[Pairs],
        planted: Option<Planted>,
        options: &GradientCheckOptions,
    ) -> GradientCheck {
        let rounding = cost.rounding();
        let tensors = gradients.iter().zip(pairs);
        let tensors = tensors.map(|(gradient, pairs)| TensorCheck::of(gradient, pairs, rounding));
        let all: Vec<_> = pairs.iter().flat_map(|pairs| pairs.both.iter().copied()).collect();
        let difference = difference(&all, rounding);
        GradientCheck {
            name: self.config.name.clone(),
            stand_in: self.identity.stand_in,
            examples: cost.examples(),
            cost: cost.value(),
            tensors: tensors.collect(),
            difference,
            threshold: options.threshold,
            passed: !all.is_empty() && difference < options.threshold,
            planted,
        }
    }
}

impl TensorCheck {
    fn of(gradient: &Gradient, pairs: &Pairs, rounding: f64) -> Self {
        Self {
            name: gradient.name.clone(),
            shape: gradient.shape.clone(),
            checked: pairs.both.len(),
            skipped: pairs.skipped,
            difference: (!pairs.both.is_empty()).then(|| difference(&pairs.both, rounding)),
        }
    }
}

/// The elements of a tensor that are compared.
struct Pairs {
    /// Of each element the gradient of the backward pass and the numeric one.
    both: Vec<[f64; 2]>,
    /// The number of elements passed over.
    skipped: usize,
}

/// How many elements are tried for each one that is to be checked.
const TRIES: usize = 2;

impl Pairs {
    /// The first `samples` elements of `order` around which the `cost` is smooth.
    fn of(gradient: &Gradient, cost: &Cost, order: &[usize], samples: usize, work: &Work) -> Self {
        let mut pairs = Self { both: Vec::new(), skipped: 0 };
        for &element in order.iter().take(samples.saturating_mul(TRIES)) {
            if pairs.both.len() == samples {
                break;
            }
            let slope = cost.slope(gradient.id, element);
            match gradient.values.get(element).zip(slope) {
                Some((value, slope)) => {
                    pairs.both.push([*value, slope]);
                    work.advance(1);
                }
                None => pairs.skipped += 1,
            }
        }
        pairs
    }
}

/// The relative difference of pairs; 0 if both gradients are no more than what rounding leaves of
/// a gradient of 0.
fn difference(pairs: &[[f64; 2]], rounding: f64) -> f64 {
    let norm = |value: fn(&[f64; 2]) -> f64| {
        pairs.iter().map(|pair| value(pair).powi(2)).sum::<f64>().sqrt()
    };
    let both = norm(|pair| pair[0]) + norm(|pair| pair[1]);
    match both <= rounding * (pairs.len() as f64).sqrt() {
        true => 0.0,
        false => norm(|pair| pair[0] - pair[1]) / both,
    }
}
