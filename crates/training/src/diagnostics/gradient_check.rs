//! Gradient check: backpropagation against centred differences of the cost, in f64.
//!
//! The relative difference is that of the courses, `||g - g'|| / (||g|| + ||g'||)` with `g` from
//! the backward pass, `g'` from centred differences, and Euclidean norms.

mod analytic;
mod injected_bug;
mod numeric;
mod pairs;
#[cfg(test)]
mod tests;

use std::time::Instant;

use burn::tensor::{Device, FloatDType};
use data::{DatasetError, Split, Statistics, shuffled};
use models::DropoutRng;
use serde::Serialize;
use support::ProgressTask;

use crate::batch::Batch;
use crate::config::RunConfig;
use crate::device;
use crate::error::RunError;
use crate::experiment::ResourceEstimate;
use crate::model::Classifier;
use analytic::Gradient;
use numeric::Cost;
use pairs::{Pairs, difference};

pub use injected_bug::{InjectedBug, InjectedBugReport};

/// Options of a gradient check.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientCheckOptions {
    /// Number of training examples of the batch; all of them if there are fewer.
    pub examples: usize,
    /// Number of elements to check per tensor; all of them if there are fewer.
    pub samples: usize,
    /// Relative difference below which the check passes.
    pub threshold: f64,
    /// A bug to inject into the backward pass, to test that the check finds it.
    pub injected_bug: Option<InjectedBug>,
}

/// Result of a gradient check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GradientCheck {
    /// Name of the experiment.
    pub name: String,
    /// True if the data are synthetic.
    pub synthetic: bool,
    /// Number of training examples of the batch.
    pub examples: usize,
    /// Cost of the batch with the initial weights, penalties included.
    pub cost: f64,
    /// Result for each parameter tensor, in the order of the model.
    pub tensors: Vec<TensorCheck>,
    /// Relative difference over all checked elements.
    pub difference: f64,
    /// Relative difference below which the check passes.
    pub threshold: f64,
    /// True if the check passes.
    pub passed: bool,
    /// The injected bug.
    pub injected_bug: Option<InjectedBugReport>,
}

/// Extent of a check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientCheckPlan {
    /// Number of parameters of the model.
    pub parameters: usize,
    /// Number of elements to check.
    pub elements: usize,
    /// Least duration in seconds, as estimated from one evaluation of the cost.
    pub seconds: f64,
}

/// Result for the gradient of one parameter tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorCheck {
    /// Path of the tensor in the model, for example `hidden.0.linear.weight`.
    pub name: String,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// Number of checked elements.
    pub checked: usize,
    /// Number of skipped elements, at which the cost is not differentiable.
    pub skipped: usize,
    /// Relative difference over the checked elements; `None` if all were skipped.
    pub difference: Option<f64>,
}

impl Default for GradientCheckOptions {
    /// The threshold is that of the course.
    fn default() -> Self {
        Self { examples: 32, samples: 50, threshold: 2e-7, injected_bug: None }
    }
}

impl GradientCheck {
    /// Checks the gradients of `config` with its initial weights, on the best processor backend of
    /// this build. Calls `announce` before the longest part.
    pub fn run(
        config: &RunConfig,
        options: &GradientCheckOptions,
        announce: impl FnOnce(&GradientCheckPlan),
    ) -> Result<Self, RunError> {
        let device = device::processor()?.device.autodiff();
        let dataset = config.dataset.resolve()?;
        let config = RunConfig { dataset, ..config.clone() };
        let (data, identity) = config.load_data()?;
        config.check_against(&data)?;
        ResourceEstimate::new(&config, &data, true)?.check_memory()?;
        CheckedModel::new(config, &data, identity.synthetic, device)?
            .check(&data, options, announce)
    }
}

impl GradientCheckPlan {
    /// The plan for an evaluation of the cost that takes `seconds`.
    fn new(gradients: &[Gradient], samples: usize, seconds: f64) -> Self {
        let sizes = || gradients.iter().map(|gradient| gradient.values.len());
        let elements = sizes().map(|size| size.min(samples)).sum();
        // Two steps to both sides, more where the cost has a kink.
        Self { parameters: sizes().sum(), elements, seconds: 4.0 * elements as f64 * seconds }
    }
}

/// The experiment whose gradients are checked.
struct CheckedModel {
    config: RunConfig,
    shape: [usize; 3],
    classes: usize,
    synthetic: bool,
    statistics: Statistics,
    class_weights: Option<Vec<f64>>,
    device: Device,
}

impl CheckedModel {
    /// The model of `config` for `data` on `device`, which has autodiff.
    fn new(
        config: RunConfig,
        data: &Split,
        synthetic: bool,
        device: Device,
    ) -> Result<Self, DatasetError> {
        let statistics = config.input.fit(&data.train)?;
        let class_weights = &config.objective.class_weights;
        let class_weights = class_weights.fit(&data.train.labels, data.classes.len());
        let (shape, classes) = (data.train.shape, data.classes.len());
        Ok(Self { config, shape, classes, synthetic, statistics, class_weights, device })
    }

    fn check(
        self,
        data: &Split,
        options: &GradientCheckOptions,
        announce: impl FnOnce(&GradientCheckPlan),
    ) -> Result<GradientCheck, RunError> {
        let classifier = self.classifier(&self.config)?;
        let batch = self.batch(&classifier, data, options.examples)?;
        let mut gradients = analytic::gradients(&classifier, &batch);
        let bug = options.injected_bug.map(|bug| bug.apply(&self, &batch, &mut gradients));
        let bug = bug.transpose()?;
        let started = Instant::now();
        let cost = Cost::new(&classifier, &batch);
        let seconds = started.elapsed().as_secs_f64();
        if !cost.value().is_finite() {
            return Err(RunError::Other(format!(
                "the cost with the initial weights is {}, so there are no gradients to check\n  lower `model.mlp.initializer_scale`, or check the data",
                cost.value()
            )));
        }
        announce(&GradientCheckPlan::new(&gradients, options.samples, seconds));
        let pairs = self.pairs(&cost, &gradients, options.samples);
        Ok(self.report(&cost, &gradients, &pairs, bug, options))
    }

    /// The classifier of `config` before its first step.
    fn classifier(&self, config: &RunConfig) -> Result<Classifier, RunError> {
        let classifier = config.classifier(self.shape, self.classes);
        let classifier = classifier.init(&self.statistics, FloatDType::F64, &self.device)?;
        Ok(classifier.with_class_weights(self.class_weights.clone()))
    }

    /// The first `examples` examples of the first epoch, with the dropout masks of the first step.
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
        batch.dropout = Some(DropoutRng { seed, step: 0, micro_batch: 0 });
        Ok(batch)
    }

    fn pairs(&self, cost: &Cost, gradients: &[Gradient], samples: usize) -> Vec<Pairs> {
        let each = gradients.iter().map(|gradient| gradient.values.len().min(samples));
        let task = ProgressTask::start("checking gradients", each.sum());
        let compare = |(tensor, gradient): (usize, &Gradient)| {
            let order = shuffled(gradient.values.len(), self.config.seed, tensor as u64);
            Pairs::compare(gradient, cost, &order, samples, &task)
        };
        gradients.iter().enumerate().map(compare).collect()
    }

    fn report(
        &self,
        cost: &Cost,
        gradients: &[Gradient],
        pairs: &[Pairs],
        injected_bug: Option<InjectedBugReport>,
        options: &GradientCheckOptions,
    ) -> GradientCheck {
        let rounding = cost.rounding();
        let tensors = gradients.iter().zip(pairs);
        let tensors = tensors.map(|(gradient, pairs)| TensorCheck::of(gradient, pairs, rounding));
        let all: Vec<_> = pairs.iter().flat_map(|pairs| pairs.both.iter().copied()).collect();
        let difference = difference(&all, rounding);
        GradientCheck {
            name: self.config.name.clone(),
            synthetic: self.synthetic,
            examples: cost.examples(),
            cost: cost.value(),
            tensors: tensors.collect(),
            difference,
            threshold: options.threshold,
            passed: !all.is_empty() && difference < options.threshold,
            injected_bug,
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
