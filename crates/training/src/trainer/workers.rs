//! Steps whose parts other processes compute.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use super::Trainer;
use super::packing::{self, PackedPart};
use super::part::{Part, PartInputs};
use super::step::StepSum;
use crate::error::RunError;
use crate::fault_injection::Fault;

/// Position of a part in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartIndex {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Steps done in this epoch.
    pub epoch_step: usize,
    /// Steps done in total.
    pub step: usize,
    /// Index of the part in the step.
    pub part: usize,
}

/// A step to compute.
pub struct StepRequest {
    /// The weights, [packed](packing::pack_weights).
    pub weights: Arc<Vec<f32>>,
    /// The first part.
    pub first: PartIndex,
    /// Number of parts.
    pub parts: usize,
    /// A fault to inject.
    pub fault: Fault,
}

/// A part that a worker has computed.
pub struct WorkerResult {
    /// The part.
    pub part: PackedPart,
    /// Name of the worker.
    pub worker: String,
}

/// Other processes that compute the parts of steps.
pub trait Workers: Send {
    /// Computes all parts of a step, and calls `visit` with each of them, in order.
    ///
    /// # Errors
    ///
    /// That of `visit`, that of a part, or [`RunError::TooFewWorkers`].
    fn compute(
        &mut self,
        step: StepRequest,
        visit: &mut dyn FnMut(WorkerResult) -> Result<(), RunError>,
    ) -> Result<(), RunError>;

    /// The decay of each running statistic of the model in a step.
    fn decays(&self) -> &[f32];

    /// How many there are.
    fn count(&self) -> WorkerCount;
}

/// The number of workers of a run, for displays.
#[derive(Debug, Clone)]
pub struct WorkerCount {
    usable: Arc<AtomicUsize>,
    /// Number of workers of the run.
    pub all: usize,
}

impl WorkerCount {
    pub(crate) fn new(all: usize) -> Self {
        Self { usable: Arc::new(AtomicUsize::new(all)), all }
    }

    /// Number of workers that can compute now.
    pub fn usable(&self) -> usize {
        self.usable.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, usable: usize) {
        self.usable.store(usable, Ordering::Relaxed);
    }
}

impl Trainer {
    /// Adds the parts of a step of these items, computed by `workers`, to `sum`.
    pub(super) fn compute_by_workers(
        &mut self,
        workers: &mut dyn Workers,
        items: &[usize],
        sum: &mut StepSum,
    ) -> Result<(), RunError> {
        self.writer.stopwatch.start_part();
        let parts: Vec<&[usize]> =
            items.chunks(self.config.batch_size(self.source.data.train.len())).collect();
        let (state, classifier) = (&self.state, &self.optimization.classifier);
        let weights = Arc::make_mut(&mut self.packed_weights);
        packing::pack_weights(classifier, weights);
        let request = StepRequest {
            weights: Arc::clone(&self.packed_weights),
            first: PartIndex {
                epoch: state.epoch,
                epoch_step: state.epoch_step,
                step: state.step,
                part: 0,
            },
            parts: parts.len(),
            fault: sum.fault,
        };
        let (mut remaining, mut increments) = (parts.into_iter(), Vec::new());
        workers.compute(request, &mut |WorkerResult { part, worker }| {
            let labels = self.source.data.train.labels_at(remaining.next().unwrap_or_default());
            let classifier = &self.optimization.classifier;
            let unpacked = part.unpack(classifier, labels.len()).ok_or_else(|| {
                RunError::Other(format!("the worker {worker} has computed another model"))
            })?;
            increments.push(unpacked.statistics);
            let inputs = PartInputs::OfWorker { are_finite: unpacked.are_inputs_finite, worker };
            let (gradients, logits) = (unpacked.gradients, unpacked.logits);
            self.add(sum, Part { gradients, logits, labels: labels.into(), inputs })
        })?;
        let classifier = self.optimization.classifier.clone();
        self.optimization.classifier = packing::fold(classifier, workers.decays(), increments);
        self.writer.stopwatch.end_part(|phases| &mut phases.backward);
        Ok(())
    }
}
