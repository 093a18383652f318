use std::collections::HashMap;
use std::time::Instant;

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, MetricName};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use dataset::Work;

/// What an epoch counts in the work of all.
const EPOCH: usize = 1000;

/// One line for each epoch that is reported.
pub struct Plain {
    show: Box<dyn Fn(&str) + Send + Sync>,
    epochs: usize,
    names: HashMap<MetricId, MetricName>,
    train: HashMap<MetricName, f64>,
    validation: HashMap<MetricName, f64>,
    epoch_start: Instant,
    work: Option<Work>,
    /// The epochs done, and the items of the pass over the training set that goes on.
    done: usize,
    items: usize,
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
            work: None,
            done: 0,
            items: 0,
        }
    }

    fn line(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        let mut line = format!("epoch {epoch:>width$}/{}", self.epochs);
        line += &scores("  train", &self.train);
        line += &scores("  valid.", &self.validation);
        line + &format!("  {:.1} s", self.epoch_start.elapsed().as_secs_f64())
    }

    /// So much of the epoch is trained.
    fn reach(&self, of_epoch: usize) {
        if let Some(work) = &self.work {
            work.reach(self.done * EPOCH + of_epoch.min(EPOCH));
        }
    }

    fn named(&self, state: MetricState) -> Option<(MetricName, f64)> {
        let MetricState::Numeric(entry, Some(value)) = state else { return None };
        Some((self.names.get(&entry.metric_id)?.clone(), value.current()))
    }
}

fn scores(title: &str, values: &HashMap<MetricName, f64>) -> String {
    let value = |name: &str| values.get(&name.to_owned()).copied();
    match (value("Loss"), value("Accuracy")) {
        (Some(loss), Some(accuracy)) => format!("{title} loss {loss:.4}, {accuracy:5.1} %"),
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
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
        self.done = first.saturating_sub(1);
        self.work = Some(Work::go_on("training", self.done * EPOCH, epochs * EPOCH));
        self.epoch_start = Instant::now();
    }

    fn update_epoch(&mut self, epoch: usize) {
        let line = self.line(epoch);
        (self.show)(&line);
        self.done = epoch;
        self.reach(0);
        self.epoch_start = Instant::now();
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.items = if split == "train" { items } else { 0 };
    }

    fn update_split(&mut self, items: usize) {
        if let Some(of_epoch) = (items * EPOCH).checked_div(self.items) {
            self.reach(of_epoch);
        }
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.work = None;
    }

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
