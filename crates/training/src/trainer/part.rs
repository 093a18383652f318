//! What one batch contributes to a step, and its computation from weights alone.

use std::mem;
use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::batch_source::BatchSource;
use super::non_finite::is_finite;
use super::packing::{self, PackedPart, RunningStatistics};
use super::state::TrainingState;
use super::workers::PartIndex;
use crate::batch::{Batch, Loader, LoaderConfig};
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
    order: (usize, Arc<[usize]>),
    /// The last part.
    last: Option<PartIndex>,
    /// The part that is read ahead.
    ahead: Option<(PartIndex, Loader)>,
    /// Memory for the next part.
    numbers: Vec<f32>,
}

impl PartComputer {
    pub(crate) fn new(
        config: TrainingConfig,
        source: BatchSource,
        classifier: Classifier,
        fine_tuning: Option<FineTuning>,
        seed: u64,
    ) -> Self {
        let (frozen, order, numbers) = (0, (0, Arc::default()), Vec::new());
        let (last, ahead) = (None, None);
        Self { config, source, classifier, fine_tuning, seed, frozen, order, last, ahead, numbers }
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
        weights: Vec<f32>,
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
        self.read_ahead(index);
        batch.inputs = fault.in_inputs(batch.inputs);
        fault.before_forward();
        let part = Part::compute(&self.classifier, batch, || ());
        Ok(PackedPart::new(&self.classifier, part, mem::take(&mut self.numbers)))
    }

    /// Takes back the memory of a part.
    pub(crate) fn reuse(&mut self, PackedPart(numbers): PackedPart) {
        self.numbers = numbers;
    }

    fn start_epoch(&mut self, epoch: usize) {
        if self.order.0 != epoch {
            let count = self.source.data.train.len();
            self.order = (epoch, self.config.order(count, self.seed, epoch).into());
        }
        let tuning = self.fine_tuning.as_ref();
        self.frozen = tuning.map_or(0, |tuning| tuning.frozen_stages(epoch));
    }

    fn batch(&mut self, index: PartIndex, fault: Fault) -> Result<Batch, RunError> {
        let order = Arc::clone(&self.order.1);
        let none =
            || RunError::Other(format!("there is no part {} in step {}", index.part, index.step));
        let (step_items, items) = self.items(&order, index).ok_or_else(none)?;
        let ahead = self.ahead.take().filter(|(ahead, _)| *ahead == index && fault == Fault::None);
        let mut loader = match ahead {
            Some((_, loader)) => Some(loader),
            None => self.loader(step_items, index, fault, 0)?,
        };
        let (part, state) = ((index.part, items), self.state(index));
        self.source.part(part, step_items, loader.as_mut(), &self.classifier, &state)
    }

    /// Starts to read the part that is asked for next, if it is as far from this one as this one is
    /// from the last.
    fn read_ahead(&mut self, index: PartIndex) {
        let last = self.last.replace(index).filter(|last| last.epoch == index.epoch);
        let workers = self.source.loader_workers(&self.config).min(1);
        let Some(last) = last.filter(|last| *last != index && workers > 0) else { return };
        let parts = self.config.accumulation;
        let number = |index: PartIndex| index.epoch_step * parts + index.part;
        let Some(next) = (2 * number(index)).checked_sub(number(last)) else { return };
        let epoch_step = next / parts;
        let step = index.step - index.epoch_step + epoch_step;
        let next = PartIndex { epoch_step, step, part: next % parts, ..index };
        if let Some((step_items, _)) = self.items(&self.order.1, next) {
            // If it cannot be read now, the reason will be known when it is asked for.
            let loader = self.loader(step_items, next, Fault::None, workers);
            self.ahead = loader.ok().flatten().map(|loader| (next, loader));
        }
    }

    /// Starts to load one part of a step with this number of loader threads; `None` if the training
    /// set is kept on the device.
    fn loader(
        &self,
        step_items: &[usize],
        index: PartIndex,
        fault: Fault,
        workers: usize,
    ) -> Result<Option<Loader>, RunError> {
        let (state, faults) = (self.state(index), Faults::one(index.step + 1, fault));
        let requests = self.source.requests(&self.config, &state, &[step_items], &faults);
        let requests = requests.into_iter().skip(index.part).take(1).collect();
        let config = LoaderConfig { workers, ..LoaderConfig::default() };
        self.source.start_loader(&config, &state, requests, &self.classifier)
    }

    /// The examples of the step and those of the part.
    fn items<'a>(
        &self,
        order: &'a [usize],
        index: PartIndex,
    ) -> Option<(&'a [usize], &'a [usize])> {
        let step_items =
            order.chunks(self.config.step_examples(order.len())).nth(index.epoch_step)?;
        let items = step_items.chunks(self.config.batch_size(order.len())).nth(index.part)?;
        Some((step_items, items))
    }

    fn state(&self, PartIndex { epoch, epoch_step, step, .. }: PartIndex) -> TrainingState {
        TrainingState { seed: self.seed, epoch, epoch_step, step, ..TrainingState::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Experiment, RunConfig};

    const FIRST: PartIndex = PartIndex { epoch: 1, epoch_step: 0, step: 0, part: 0 };

    fn computer(overrides: &[&str]) -> PartComputer {
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2");
        let steps = ["training.batch_size=32", "training.accumulation=3"];
        let overrides: Vec<_> = steps.iter().chain(overrides).map(|&key| key.to_owned()).collect();
        let config = RunConfig::read(&configs.join("moons_gd.toml"), &overrides).unwrap();
        Experiment::prepare(&config, None, None).unwrap().part_computer().unwrap()
    }

    #[test]
    fn parts_that_are_read_ahead_are_those_that_are_read_when_they_are_asked_for() {
        let mut now = computer(&[]);
        let mut ahead = computer(&["training.loader.workers=1"]);
        let weights = now.weights();
        let read = |computer: &PartComputer| computer.ahead.as_ref().map(|(index, _)| *index);
        // As two workers are asked, one after another.
        let asked = [(0, 0), (0, 2), (1, 1), (1, 2), (2, 0), (2, 1)];
        let expected = [None, Some((1, 1)), Some((2, 0)), Some((2, 0)), Some((2, 1)), Some((2, 2))];
        for ((epoch_step, part), expected) in asked.into_iter().zip(expected) {
            let index = PartIndex { epoch_step, step: epoch_step, part, ..FIRST };
            let [at_once, read_ahead] = [&mut now, &mut ahead].map(|computer| {
                let zero = RunningStatistics::Zero;
                computer.compute(weights.clone(), zero, index, Fault::None).unwrap()
            });
            assert!(at_once.has_bits_of(&read_ahead), "{index:?}");
            let expected = expected.map(|(epoch_step, part)| PartIndex {
                epoch_step,
                step: epoch_step,
                part,
                ..FIRST
            });
            assert_eq!((read(&now), read(&ahead)), (None, expected), "{index:?}");
        }
        let next = PartIndex { epoch: 2, epoch_step: 0, step: 4, part: 0 };
        ahead.compute(weights, RunningStatistics::Zero, next, Fault::None).unwrap();
        assert_eq!(read(&ahead), None);
    }
}
