//! What one batch contributes to a step, and its computation from weights alone.

use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::batch_source::BatchSource;
use super::non_finite::is_finite;
use super::packing::{self, PackedPart, RunningStatistics};
use super::state::TrainingState;
use super::workers::PartIndex;
use crate::batch::{Batch, LoaderConfig};
use crate::config::TrainingConfig;
use crate::error::RunError;
use crate::fault_injection::{Fault, Faults};
use crate::model::Classifier;
use crate::optim::FineTuning;

/// What a batch contributes to a step.
pub struct Part {
    pub gradients: GradientsParams,
    /// Shape `[batch, outputs]`, without autodiff.
    pub logits: Tensor<2>,
    pub labels: Arc<[u32]>,
    pub inputs: PartInputs,
}

/// The inputs of a part, to explain an output that is not finite.
#[expect(clippy::large_enum_variant, reason = "a step has few of them")]
pub enum PartInputs {
    /// Computed by the trainer itself.
    Here(Tensor<4>),
    /// Computed by a worker.
    OfWorker { are_finite: bool, worker: String },
}

impl PartInputs {
    pub fn are_finite(&self) -> bool {
        match self {
            Self::Here(inputs) => is_finite(inputs.clone()),
            Self::OfWorker { are_finite, .. } => *are_finite,
        }
    }

    /// Shape `[1]`; finite only if all inputs are.
    pub fn sum(&self, logits: &Tensor<2>) -> Tensor<1> {
        match self {
            Self::Here(inputs) => inputs.clone().without_autodiff().abs().sum(),
            Self::OfWorker { are_finite: true, .. } => Tensor::zeros([1], &logits.device()),
            Self::OfWorker { .. } => Tensor::full([1], f32::NAN, &logits.device()),
        }
    }

    /// The worker that computed the part, after a text about it.
    pub fn of_worker(&self, text: String) -> String {
        match self {
            Self::Here(_) => text,
            Self::OfWorker { worker, .. } => format!("{text}, on the worker {worker}"),
        }
    }
}

impl Part {
    /// Forward and backward pass of `batch`; calls `end_forward` between them.
    pub fn compute(classifier: &Classifier, batch: Batch, end_forward: impl FnOnce()) -> Self {
        let (loss, logits) = classifier.loss(&batch);
        end_forward();
        let gradients = GradientsParams::from_grads(loss.backward(), classifier);
        let (labels, inputs) = (batch.labels, PartInputs::Here(batch.inputs));
        Self { gradients, logits: logits.without_autodiff(), labels, inputs }
    }
}

const OTHER_MODEL: &str = "these are weights of another model";

/// Computes parts of steps from weights that it is given: what a worker does, and the trainer to
/// compare a worker with.
pub struct PartComputer {
    config: TrainingConfig,
    source: BatchSource,
    pub(crate) classifier: Classifier,
    fine_tuning: Option<FineTuning>,
    seed: u64,
    /// Number of stages that are frozen now.
    frozen: usize,
    /// The epoch of the last part and its order.
    order: (usize, Vec<usize>),
}

impl PartComputer {
    pub(crate) fn new(
        config: TrainingConfig,
        source: BatchSource,
        classifier: Classifier,
        fine_tuning: Option<FineTuning>,
        seed: u64,
    ) -> Self {
        let (frozen, order) = (0, (0, Vec::new()));
        Self { config, source, classifier, fine_tuning, seed, frozen, order }
    }

    /// The initial weights, [packed](packing::pack_weights).
    pub(crate) fn weights(&self) -> Vec<f32> {
        let mut weights = Vec::new();
        packing::pack_weights(&self.classifier, &mut weights);
        weights
    }

    /// The part at `index` of a run with these weights, which are [packed](packing::pack_weights).
    pub(crate) fn compute(
        &mut self,
        weights: &[f32],
        statistics: RunningStatistics,
        index: PartIndex,
        fault: Fault,
    ) -> Result<PackedPart, RunError> {
        self.start_epoch(index.epoch);
        let loaded = packing::load(self.classifier.valid(), weights, statistics);
        let loaded = loaded.ok_or_else(|| RunError::Other(OTHER_MODEL.to_owned()))?;
        self.classifier = loaded.train().with_frozen(self.frozen);
        let tuning = self.fine_tuning.as_ref();
        let keeps = tuning.is_some_and(|tuning| tuning.has_constant_features(self.frozen));
        self.source.keep_features(keeps.then_some(&self.classifier))?;
        let mut batch = self.batch(index, fault)?;
        batch.inputs = fault.in_inputs(batch.inputs);
        fault.before_forward();
        let part = Part::compute(&self.classifier, batch, || ());
        Ok(PackedPart::new(&self.classifier, part))
    }

    fn start_epoch(&mut self, epoch: usize) {
        if self.order.0 != epoch {
            let count = self.source.data.train.len();
            self.order = (epoch, self.config.order(count, self.seed, epoch));
        }
        let tuning = self.fine_tuning.as_ref();
        self.frozen = tuning.map_or(0, |tuning| tuning.frozen_stages(epoch));
    }

    fn batch(&mut self, index: PartIndex, fault: Fault) -> Result<Batch, RunError> {
        let PartIndex { epoch, epoch_step, step, part } = index;
        let state =
            TrainingState { seed: self.seed, epoch, epoch_step, step, ..TrainingState::default() };
        let (order, config) = (&self.order.1, &self.config);
        let none = || RunError::Other(format!("there is no part {part} in step {step}"));
        let items = order.chunks(config.step_examples(order.len())).nth(epoch_step);
        let items = items.ok_or_else(none)?;
        let faults = Faults::one(step + 1, fault);
        let mut requests = self.source.requests(config, &state, &[items], &faults);
        let mut requests = requests.drain(part.min(requests.len())..);
        let request = requests.next().ok_or_else(none)?;
        let part_items = request.items.clone();
        let alone = LoaderConfig { workers: 0, ..LoaderConfig::default() };
        let loader = self.source.start_loader(&alone, &state, vec![request], &self.classifier);
        let mut loader = loader?;
        let part = (part, part_items.as_slice());
        self.source.part(part, items, loader.as_mut(), &self.classifier, &state)
    }
}
