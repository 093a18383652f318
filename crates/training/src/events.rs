//! What a run tells burn-train: its metrics, and the events that its renderers show.

use std::sync::Arc;

use burn::data::dataloader::Progress;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::tensor::TensorReadError;
use burn::train::logger::MetricLogger;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricDefinition, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::{
    EventProcessorTraining, Interrupter, LearnerEvent, SupervisedTrainingEventProcessor,
    TrainingItem,
};

use crate::classifier::Classifier;
use crate::scores::Scores;

/// A metric that is a quotient of [`Scores`].
#[derive(Clone)]
pub struct ScoreMetric {
    name: MetricName,
    attributes: NumericAttributes,
    value: fn(&Scores) -> f64,
    state: NumericMetricState,
}

/// The receiving end of a run's events.
pub struct Events {
    processor: SupervisedTrainingEventProcessor<Classifier>,
    interrupter: Interrupter,
    muted: bool,
}

/// Which pass over which examples events belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Over the training set.
    Train,
    /// Over the validation set.
    Validation,
}

/// How far a pass is.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    /// The examples seen, this batch's included.
    pub examples: usize,
    /// The examples of the pass.
    pub total: usize,
    /// The batches seen, this one included.
    pub batches: usize,
}

impl ScoreMetric {
    /// The mean loss.
    pub fn loss() -> Self {
        Self::new("Loss", None, false, Scores::loss)
    }

    /// The share of examples classified rightly, in percent.
    pub fn accuracy() -> Self {
        Self::new("Accuracy", Some("%"), true, |scores| 100.0 * scores.accuracy())
    }

    fn new(
        name: &str,
        unit: Option<&str>,
        higher_is_better: bool,
        value: fn(&Scores) -> f64,
    ) -> Self {
        Self {
            name: Arc::new(name.to_owned()),
            attributes: NumericAttributes { unit: unit.map(String::from), higher_is_better },
            value,
            state: NumericMetricState::new(),
        }
    }

    fn format(&self) -> FormatOptions {
        let format = FormatOptions::new(self.name()).precision(3);
        match &self.attributes.unit {
            Some(unit) => format.unit(unit),
            None => format,
        }
    }
}

impl Metric for ScoreMetric {
    type Input = Scores;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        self.attributes.clone().into()
    }

    fn update(
        &mut self,
        scores: &Scores,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.state.update((self.value)(scores), scores.count as usize);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl Numeric for ScoreMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

impl Adaptor<Scores> for Scores {
    fn adapt(&self) -> Scores {
        *self
    }
}

impl Events {
    /// Sends to `processor`; what goes wrong there stops `interrupter`.
    pub fn new(
        processor: SupervisedTrainingEventProcessor<Classifier>,
        interrupter: Interrupter,
    ) -> Self {
        Self { processor, interrupter, muted: false }
    }

    /// Whether to tell nothing until further notice. A step of a small network takes less time
    /// than telling of it.
    pub fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// A pass over `total` examples begins.
    pub fn start(&mut self, pass: Pass, epoch: usize, total: usize) {
        self.send(pass, LearnerEvent::StartSplit { epoch_number: epoch, total_items: total });
    }

    /// A batch of the pass is done; `learning_rate` if it was trained on.
    pub fn batch(&mut self, pass: Pass, scores: Scores, at: Position, learning_rate: Option<f64>) {
        let progress = Progress::new(at.examples, at.total, Some("examples".to_owned()));
        let rate = learning_rate.map(ModuleLearningRate::from);
        let item = TrainingItem::new(scores, progress, Some(at.batches), rate);
        self.send(pass, LearnerEvent::ProcessedItem(item));
    }

    /// The pass ends.
    pub fn end(&mut self, pass: Pass, epoch: usize) {
        self.send(pass, LearnerEvent::EndSplit(epoch));
    }

    /// The epoch ends, its validation included.
    pub fn end_epoch(&mut self, epoch: usize) {
        self.send(Pass::Train, LearnerEvent::EndEpoch(epoch));
    }

    /// Whether somebody asked for a stop through the renderer.
    pub fn stop_asked(&self) -> bool {
        self.interrupter.should_stop() && self.interrupter.error().is_none()
    }

    /// What went wrong in processing events.
    pub fn failure(&self) -> Option<String> {
        self.interrupter.error().map(|error| error.to_string())
    }

    /// Gives the processor back.
    pub fn into_processor(self) -> SupervisedTrainingEventProcessor<Classifier> {
        self.processor
    }

    fn send(&mut self, pass: Pass, event: LearnerEvent<Scores>) {
        if self.muted {
            return;
        }
        self.interrupter.fail_on_error(match pass {
            Pass::Train => self.processor.process_train(event),
            Pass::Validation => self.processor.process_valid(event),
        });
    }
}

/// Keeps burn-train from writing metrics files of its own beside the run's.
pub struct NoMetricFiles;

impl MetricLogger for NoMetricFiles {
    fn log(&mut self, _update: MetricsUpdate, _epoch: usize, _split: &Split) {}

    fn read_numeric(
        &mut self,
        _name: &str,
        _epoch: usize,
        _split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _definition: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}
