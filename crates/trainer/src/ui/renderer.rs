//! The progress of a run from the events of Burn.

use std::fmt;
use std::time::Instant;

use artifacts::EpochMetrics;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

/// Shows the progress of a run. Called by the thread that processes Burn's events, for which the
/// training waits.
pub trait Display: Send + Sync {
    /// A pass has started or continues, or an epoch has ended.
    fn progress(&mut self, progress: &Progress);

    /// An epoch is done.
    fn epoch_done(&mut self, epoch: &EpochEvent);
}

/// Progress of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Number of epochs of the run.
    pub epochs: usize,
    /// Number of complete epochs.
    pub epochs_done: usize,
    /// Whether the pass is one over the validation set.
    pub is_validating: bool,
    /// Examples of the pass seen so far.
    pub examples: usize,
    /// Examples of the pass; 0 between two epochs.
    pub total: usize,
    pub learning_rate: Option<f64>,
    /// Means over the pass so far.
    pub train: Scores,
    pub validation: Scores,
}

/// Mean loss, and accuracy in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    pub loss: Option<f64>,
    pub accuracy: Option<f64>,
}

/// Results of one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochEvent {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Number of epochs of the run.
    pub epochs: usize,
    pub train: Scores,
    pub validation: Scores,
    seconds: f64,
}

impl Progress {
    /// Fraction of the pass that is done.
    pub fn fraction(&self) -> f64 {
        self.examples.min(self.total) as f64 / self.total.max(1) as f64
    }
}

impl From<&EpochMetrics> for EpochEvent {
    fn from(metrics: &EpochMetrics) -> Self {
        let scores = |loss, accuracy: Option<f64>| Scores {
            loss,
            accuracy: accuracy.map(|accuracy| 100.0 * accuracy),
        };
        Self {
            epoch: metrics.epoch,
            epochs: 0,
            train: scores(Some(metrics.train_loss), Some(metrics.train_accuracy)),
            validation: scores(metrics.validation_loss, metrics.validation_accuracy),
            seconds: 0.0,
        }
    }
}

impl fmt::Display for EpochEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.epochs.to_string().len();
        write!(f, "epoch {:>width$}/{}", self.epoch, self.epochs)?;
        for (split, scores) in [("train", self.train), ("val", self.validation)] {
            if let Scores { loss: Some(loss), accuracy: Some(accuracy) } = scores {
                write!(f, "  {split} loss {loss:.4}, {accuracy:5.1} %")?;
            }
        }
        write!(f, "  {:.1} s", self.seconds)
    }
}

/// Renderer that passes the progress on to a [`Display`].
pub struct Renderer<D> {
    display: D,
    progress: Progress,
    metrics: Vec<(MetricId, Metric)>,
    epoch_start: Instant,
}

/// A metric with its sum and its weight over the pass so far.
struct Metric {
    name: String,
    sum: f64,
    count: usize,
}

impl Metric {
    /// Adds a batch; returns the mean so far.
    fn update(&mut self, entry: &NumericEntry) -> f64 {
        let (value, count) = match entry {
            NumericEntry::Aggregated { aggregated_value, count } => (*aggregated_value, *count),
            NumericEntry::Value(value) => (*value, 1),
            NumericEntry::Final(value) => return *value,
        };
        self.sum += value * count as f64;
        self.count += count;
        self.sum / self.count.max(1) as f64
    }
}

impl<D: Display> Renderer<D> {
    pub fn new(display: D) -> Self {
        let (progress, epoch_start) = (Progress::default(), Instant::now());
        Self { display, progress, metrics: Vec::new(), epoch_start }
    }

    fn update(&mut self, state: &MetricState, scores: fn(&mut Progress) -> &mut Scores) {
        let MetricState::Numeric(entry, Some(value)) = state else { return };
        let known = self.metrics.iter_mut().find(|(id, _)| *id == entry.metric_id);
        let Some((_, metric)) = known else { return };
        let mean = metric.update(value);
        let scores = scores(&mut self.progress);
        match (metric.name.as_str(), value) {
            ("Loss", _) => scores.loss = Some(mean),
            ("Accuracy", _) => scores.accuracy = Some(mean),
            // The mean over an epoch is of no use.
            (_, NumericEntry::Final(_)) => {}
            (_, value) => self.progress.learning_rate = Some(value.current()),
        }
    }
}

impl<D: Display> MetricsRendererTraining for Renderer<D> {
    fn update_train(&mut self, state: MetricState) {
        self.update(&state, |progress| &mut progress.train);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.update(&state, |progress| &mut progress.validation);
    }
}

impl<D: Display> TrainingProgressLogger for Renderer<D> {
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.progress.epochs = epochs;
        self.progress.epochs_done = first.saturating_sub(1);
        self.display.progress(&self.progress);
        self.epoch_start = Instant::now();
    }

    fn update_epoch(&mut self, epoch: usize) {
        let Progress { epochs, train, validation, .. } = self.progress;
        let seconds = self.epoch_start.elapsed().as_secs_f64();
        self.display.epoch_done(&EpochEvent { epoch, epochs, train, validation, seconds });
        let position = Progress { epochs_done: epoch, is_validating: false, ..self.progress };
        self.progress = Progress { examples: 0, total: 0, ..position };
        self.display.progress(&self.progress);
        self.epoch_start = Instant::now();
    }

    fn start_split(&mut self, split: &str, total: usize) {
        for (_, metric) in &mut self.metrics {
            (metric.sum, metric.count) = (0.0, 0);
        }
        let is_validating = split != "train";
        self.progress = Progress { is_validating, examples: 0, total, ..self.progress };
        self.display.progress(&self.progress);
    }

    fn update_split(&mut self, examples: usize) {
        self.progress.examples = examples;
        self.display.progress(&self.progress);
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _event: String) {}
}

impl<D: Display> MetricsRenderer for Renderer<D> {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        let name = definition.name.to_string();
        self.metrics.push((definition.metric_id, Metric { name, sum: 0.0, count: 0 }));
    }
}

// The trait covers evaluations too; the trainer prints their results itself.

impl<D: Display> MetricsRendererEvaluation for Renderer<D> {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl<D: Display> EvaluationProgressLogger for Renderer<D> {
    fn start_global_progress(&mut self, _tests: usize) {}

    fn start_test(&mut self, _name: &str, _items: usize) {}

    fn update_test_progress(&mut self, _items: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_one_line_with_the_scores_that_there_are() {
        let train = Scores { loss: Some(0.5), accuracy: Some(87.5) };
        let validation = Scores::default();
        let event = EpochEvent { epoch: 3, epochs: 10, train, validation, seconds: 2.0 };
        assert_eq!(event.to_string(), "epoch  3/10  train loss 0.5000,  87.5 %  2.0 s");
        let event = EpochEvent { validation: train, ..event };
        assert!(event.to_string().contains("%  val loss 0.5000,  87.5 %  "), "{event}");
    }
}
