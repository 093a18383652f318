//! The objective: the loss of a head over the logits, and penalties on the weights.

mod class_weights;

use ::config::Check;
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Int, Tensor, activation};
use data::Mix;
use models::Model;
use serde::{Deserialize, Serialize};

use crate::error::RunError;
pub use class_weights::ClassWeights;

/// The objective: `[objective]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Output layer with its loss; if absent, `sigmoid` for two classes, otherwise `softmax`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// Strength of the L2 penalty: `l2 / (2 m)` times the sum of the squared weights, with `m`
    /// examples per step; the lambda of the courses.
    #[schemars(range(min = 0, max = 1e6))]
    pub l2: f64,
    /// Strength of the L1 penalty: `l1 / (2 m)` times the sum of the absolute weights.
    #[schemars(range(min = 0, max = 1e6))]
    pub l1: f64,
    /// Share of the target that is spread evenly over all classes (Szegedy et al. 2016).
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub label_smoothing: f64,
    /// Weight of each class in the loss.
    pub class_weights: ClassWeights,
}

/// The map of logits to probabilities, with its loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// One logit per class, cross-entropy loss.
    Softmax,
    /// One logit for the second of two classes, binary cross-entropy loss.
    Sigmoid,
}

/// An [`ObjectiveConfig`] applied to a number of classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    pub head: Head,
    l2: f64,
    l1: f64,
    classes: usize,
    label_smoothing: f64,
    /// Weight of each class; `None` if all are 1.
    weights: Option<Vec<f64>>,
}

impl ObjectiveConfig {
    /// The objective for `classes` classes, unweighted. Fails if the head is a sigmoid and there
    /// are not two classes, or if the number of class weights is not that of classes.
    pub fn init(&self, classes: usize) -> Result<Objective, RunError> {
        let head = self.head(classes);
        if head == Head::Sigmoid && classes != 2 {
            return Err(RunError::Usage(format!(
                "the head `sigmoid` needs two classes, and the data have {classes}\n  set `objective.head = \"softmax\"`, or remove the key"
            )));
        }
        if let ClassWeights::Given(given) = &self.class_weights
            && given.len() != classes
        {
            return Err(RunError::Usage(format!(
                "`objective.class_weights` has {} weights for {classes} classes\n  give one weight per class, in the order of the labels, or use \"balanced\"",
                given.len()
            )));
        }
        let Self { l2, l1, label_smoothing, .. } = *self;
        Ok(Objective { head, l2, l1, classes, label_smoothing, weights: None })
    }

    /// Number of logits for `classes` classes.
    pub fn outputs(&self, classes: usize) -> usize {
        self.head(classes).outputs(classes)
    }

    /// The head for `classes` classes.
    pub fn head(&self, classes: usize) -> Head {
        let default = if classes == 2 { Head::Sigmoid } else { Head::Softmax };
        self.head.unwrap_or(default)
    }

    pub(crate) fn has_penalty(&self) -> bool {
        self.l1 > 0.0 || self.l2 > 0.0
    }

    pub(crate) fn check(&self, check: &mut Check) {
        self.class_weights.check(check);
    }
}

impl Objective {
    pub fn with_class_weights(self, weights: Option<Vec<f64>>) -> Self {
        Self { weights, ..self }
    }

    /// Sum of the weights of examples with these `labels`.
    pub fn weight(&self, labels: impl ExactSizeIterator<Item = u32>) -> f64 {
        match &self.weights {
            Some(_) => labels.map(|label| self.weight_of(label as usize)).sum(),
            None => labels.len() as f64,
        }
    }

    /// Targets of each example, `[labels.len(), classes]`; `None` if they are one-hot.
    ///
    /// The target of class `c` is `w_c ((1 - s) [c = label] + s / K)` with label smoothing `s`; of
    /// mixed examples, the sum over both labels in their shares. The loss of a batch is the sum of
    /// the targets times `-log p_c` divided by the sum of the `w` of the labels. This is PyTorch's
    /// `cross_entropy` with `weight` and `label_smoothing`, and `share * loss(labels) + (1 - share)
    /// * loss(others)` for mixed examples.
    pub fn targets(&self, labels: &[u32], mix: Option<&Mix>) -> Option<Vec<f32>> {
        if self.label_smoothing == 0.0 && self.weights.is_none() && mix.is_none() {
            return None;
        }
        let (others, share) = mix.map_or((labels, 1.0), |mix| (&mix.others, mix.share));
        let one_hot = |class: usize, label: u32| if class == label as usize { 1.0 } else { 0.0 };
        let target = |class: usize, (label, other): (u32, u32)| {
            let hard = share * one_hot(class, label) + (1.0 - share) * one_hot(class, other);
            let smooth = self.label_smoothing / self.classes as f64;
            self.weight_of(class) * ((1.0 - self.label_smoothing) * hard + smooth)
        };
        let pairs = labels.iter().copied().zip(others.iter().copied());
        let row = |pair| (0..self.classes).map(move |class| target(class, pair) as f32);
        Some(pairs.flat_map(row).collect())
    }

    fn weight_of(&self, class: usize) -> f64 {
        let weights = self.weights.as_ref();
        weights.map_or(1.0, |weights| weights.get(class).copied().unwrap_or(0.0))
    }

    /// The penalty `[1]` on the weights of `model` in a step of `examples` examples; `None` if
    /// there is none. Weights are the parameters of at least two dimensions: neither biases nor the
    /// parameters of batch norm.
    pub fn penalty(&self, model: &Model, examples: usize) -> Option<Tensor<1>> {
        if self.l1 == 0.0 && self.l2 == 0.0 {
            return None;
        }
        let share = 1.0 / (2.0 * examples as f64);
        let (l2, l1) = (self.l2 * share, self.l1 * share);
        let mut penalty = Penalty { model, path: Vec::new(), l2, l1, sum: None };
        model.visit(&mut penalty);
        penalty.sum
    }
}

impl Head {
    /// Number of logits for `classes` classes.
    pub fn outputs(self, classes: usize) -> usize {
        match self {
            Self::Softmax => classes,
            Self::Sigmoid => 1,
        }
    }

    /// The mean loss `[1]` of logits `[batch, outputs]` with labels `[batch]`.
    pub fn loss(self, logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
        match self {
            Self::Softmax => {
                CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, labels)
            }
            Self::Sigmoid => {
                // -log(sigmoid(z)) for label 1, -log(1 - sigmoid(z)) = z - log(sigmoid(z)) for 0.
                let others = labels.neg().add_scalar(1).float().cast(logits.dtype());
                let others = others.unsqueeze_dim::<2>(1);
                (others * logits.clone() - activation::log_sigmoid(logits)).mean()
            }
        }
    }

    /// The sum `[1]` of `-log p_c` times the `targets` `[batch, classes]`, for logits `[batch,
    /// outputs]`.
    pub fn cost(self, logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let targets = targets.cast(logits.dtype());
        (self.log_probabilities(logits) * targets).sum().neg()
    }

    /// Natural logarithm of the probability of each class, `[batch, classes]`, for logits `[batch,
    /// outputs]`.
    pub fn log_probabilities(self, logits: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Softmax => activation::log_softmax(logits, 1),
            Self::Sigmoid => {
                let no = activation::log_sigmoid(logits.clone().neg());
                Tensor::cat(vec![no, activation::log_sigmoid(logits)], 1)
            }
        }
    }
}

/// Sums the penalties of the parameters that `model` allows.
struct Penalty<'a> {
    model: &'a Model,
    path: Vec<String>,
    l2: f64,
    l1: f64,
    sum: Option<Tensor<1>>,
}

impl Penalty<'_> {
    fn add(&mut self, term: Tensor<1>) {
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + term,
            None => term,
        });
    }
}

impl ModuleVisitor for Penalty<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Below the variant of the model.
        let path = self.path.get(1..).unwrap_or_default().join(".");
        if !self.model.is_penalized(&path, D) {
            return;
        }
        if self.l2 > 0.0 {
            self.add(param.val().square().sum() * self.l2);
        }
        if self.l1 > 0.0 {
            self.add(param.val().abs().sum() * self.l1);
        }
    }
}
#[cfg(test)]
mod tests;
