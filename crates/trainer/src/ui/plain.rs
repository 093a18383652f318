use std::collections::HashMap;
use std::time::Instant;

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, MetricName};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

/// One line for each epoch that is reported.
pub struct Plain {
    show: Box<dyn Fn(&str) + Send + Sync>,
    epochs: usize,
    names: HashMap<MetricId, MetricName>,
    train: HashMap<MetricName, f64>,
    validation: HashMap<MetricName, f64>,
    epoch_start: Instant,
}

impl Plain {
    /// Gives each line to `show`.
    pub fn new(show: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            show: Box::new(show),
            epochs: 0,
            names: HashMap::new(),
            train: HashMap::new(),
            validation: HashMap::new(),
            epoch_start: Instant::now(),
        }
    }

    fn line(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        let mut line = format!("epoch {epoch:>width$}/{}", self.epochs);
        line += &scores("  train", &self.train);
        line += &scores("  validation", &self.validation);
        line + &format!("  {:.1} s", self.epoch_start.elapsed().as_secs_f64())
    }

    fn named(&self, state: MetricState) -> Option<(MetricName, f64)> {
        let MetricState::Numeric(entry, Some(value)) = state else { return None };
        Some((self.names.get(&entry.metric_id)?.clone(), value.current()))
    }
}

fn scores(title: &str, values: &HashMap<MetricName, f64>) -> String {
    let value = |name: &str| values.get(&name.to_owned()).copied();
    match (value("Loss"), value("Accuracy")) {
        (Some(loss), Some(accuracy)) => format!("{title} loss {loss:.4} accuracy {accuracy:5.1} %"),
        _ => String::new(),
    }
}

impl MetricsRendererTraining for Plain {
    fn update_train(&mut self, state: MetricState) {
        self.train.extend(self.named(state));
    }

    fn update_valid(&mut self, state: MetricState) {
        self.validation.extend(self.named(state));
    }
}

impl TrainingProgressLogger for Plain {
    fn start(&mut self, epochs: usize, _first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
        self.epoch_start = Instant::now();
    }

    fn update_epoch(&mut self, epoch: usize) {
        let line = self.line(epoch);
        (self.show)(&line);
        self.epoch_start = Instant::now();
    }

    fn start_split(&mut self, _split: &str, _items: usize) {}

    fn update_split(&mut self, _items: usize) {}

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRenderer for Plain {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }
}

// Burn-train's renderers also show evaluations; the trainer prints those itself.

impl MetricsRendererEvaluation for Plain {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for Plain {
    fn start_global_progress(&mut self, _tests: usize) {}

    fn start_test(&mut self, _name: &str, _items: usize) {}

    fn update_test_progress(&mut self, _items: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}
