//! Display of a training run: Burn's dashboard, one line per epoch, or nothing.

use std::env;
use std::fmt::{self, Display};
use std::io::{IsTerminal, stdout};
use std::time::Instant;

use burn::train::Interrupter;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use clap::ValueEnum;
use support::ProgressTask;
use training::{NoopRenderer, StopSource, Ui};

use crate::error::Failure;
use crate::{print, terminal};

/// The value of `--ui`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum UiChoice {
    /// Dashboard on a terminal, plain otherwise and if TERM is dumb
    #[default]
    Auto,
    /// Burn's dashboard
    Dashboard,
    /// One line per epoch
    Plain,
    /// Errors only
    None,
}

impl UiChoice {
    /// Whether the dashboard will be shown.
    pub fn is_dashboard(self) -> bool {
        match self {
            // A dumb terminal cannot move its cursor.
            Self::Auto => {
                stdout().is_terminal() && env::var_os("TERM").is_none_or(|name| name != "dumb")
            }
            Self::Dashboard => true,
            Self::Plain | Self::None => false,
        }
    }

    /// Fails if the dashboard is requested without a terminal.
    pub fn check(self) -> Result<(), Failure> {
        if self.is_dashboard() && !stdout().is_terminal() {
            return Err(Failure::usage("--ui dashboard needs a terminal\n  use --ui plain"));
        }
        Ok(())
    }

    /// User interface of a run that has trained `epochs_done` epochs and ends at `stop`.
    pub fn of_run(self, epochs_done: usize, mut stop: StopSource) -> Ui {
        let interrupter = Interrupter::new();
        let renderer: Box<dyn MetricsRenderer> = if self.is_dashboard() {
            // Keeps Ctrl-C working beside the dashboard.
            stop = Box::new(move || {
                terminal::enable_interrupts();
                stop()
            });
            Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), Some(epochs_done)))
        } else if self == Self::None {
            Box::new(NoopRenderer)
        } else {
            Box::new(PlainRenderer::new(|epoch| print::event(&epoch.to_string())))
        };
        Ui { renderer, interrupter, stop }
    }
}

/// Messages of the panics by which Burn ends a run at once when a user of the dashboard asks for it:
/// in the thread of the run, or in the one that processes its events.
const KILLS: [&str; 2] = [
    "Killing training from user input.",
    "the event processor worker stopped without reporting an error",
];

/// Whether a panic with this message ended a run at the request of a user of the dashboard.
pub fn is_kill(panic: &str) -> bool {
    KILLS.contains(&panic)
}

/// Units of progress per epoch.
const EPOCH_UNITS: usize = 1000;

/// Results of one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochEvent {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Number of epochs of the run.
    pub epochs: usize,
    train: Scores,
    validation: Scores,
    seconds: f64,
}

/// Mean loss and accuracy in percent on one split, if there are any.
type Scores = [Option<f64>; 2];

/// Names of the metrics that are scores.
const SCORES: [&str; 2] = ["Loss", "Accuracy"];

impl Display for EpochEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.epochs.to_string().len();
        write!(f, "epoch {:>width$}/{}", self.epoch, self.epochs)?;
        for (split, scores) in [("train", self.train), ("val", self.validation)] {
            if let [Some(loss), Some(accuracy)] = scores {
                write!(f, "  {split} loss {loss:.4}, {accuracy:5.1} %")?;
            }
        }
        write!(f, "  {:.1} s", self.seconds)
    }
}

/// Renderer that reports each epoch as an [`EpochEvent`].
pub struct PlainRenderer {
    on_epoch: Box<dyn Fn(&EpochEvent) + Send + Sync>,
    epochs: usize,
    /// The id of each of [`SCORES`].
    ids: [Option<MetricId>; 2],
    train: Scores,
    validation: Scores,
    epoch_start: Instant,
    task: Option<ProgressTask>,
    epochs_done: usize,
    /// Items of the current pass over the training set; 0 during validation.
    items: usize,
}

impl PlainRenderer {
    /// Renderer that calls `on_epoch` after each epoch.
    pub fn new(on_epoch: impl Fn(&EpochEvent) + Send + Sync + 'static) -> Self {
        Self {
            on_epoch: Box::new(on_epoch),
            epochs: 0,
            ids: [None, None],
            train: [None; 2],
            validation: [None; 2],
            epoch_start: Instant::now(),
            task: None,
            epochs_done: 0,
            items: 0,
        }
    }

    /// Sets the progress to `units` of the current epoch.
    fn advance_to(&self, units: usize) {
        if let Some(task) = &self.task {
            task.set_done(self.epochs_done * EPOCH_UNITS + units.min(EPOCH_UNITS));
        }
    }
}

/// Sets the score that `state` is a new value of.
fn update(scores: &mut Scores, ids: &[Option<MetricId>; 2], state: MetricState) {
    let MetricState::Numeric(entry, Some(value)) = state else { return };
    for (score, id) in scores.iter_mut().zip(ids) {
        if id.as_ref() == Some(&entry.metric_id) {
            *score = Some(value.current());
        }
    }
}

impl MetricsRendererTraining for PlainRenderer {
    fn update_train(&mut self, state: MetricState) {
        update(&mut self.train, &self.ids, state);
    }

    fn update_valid(&mut self, state: MetricState) {
        update(&mut self.validation, &self.ids, state);
    }
}

impl TrainingProgressLogger for PlainRenderer {
    fn start(&mut self, epochs: usize, first: usize, _items: Option<usize>, _label: Option<&str>) {
        self.epochs = epochs;
        self.epochs_done = first.saturating_sub(1);
        let done = self.epochs_done * EPOCH_UNITS;
        self.task = Some(ProgressTask::resume("training", done, epochs * EPOCH_UNITS));
        self.epoch_start = Instant::now();
    }

    fn update_epoch(&mut self, epoch: usize) {
        let &mut Self { epochs, train, validation, .. } = self;
        let seconds = self.epoch_start.elapsed().as_secs_f64();
        (self.on_epoch)(&EpochEvent { epoch, epochs, train, validation, seconds });
        self.epochs_done = epoch;
        self.advance_to(0);
        self.epoch_start = Instant::now();
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.items = if split == "train" { items } else { 0 };
    }

    fn update_split(&mut self, items: usize) {
        if let Some(units) = (items * EPOCH_UNITS).checked_div(self.items) {
            self.advance_to(units);
        }
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.task = None;
    }

    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRenderer for PlainRenderer {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        for (id, name) in self.ids.iter_mut().zip(SCORES) {
            if *definition.name == name {
                *id = Some(definition.metric_id.clone());
            }
        }
    }
}

// The trait covers evaluations too; the trainer prints their results itself.

impl MetricsRendererEvaluation for PlainRenderer {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for PlainRenderer {
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
        let train = [Some(0.5), Some(87.5)];
        let event = EpochEvent { epoch: 3, epochs: 10, train, validation: [None; 2], seconds: 2.0 };
        assert_eq!(event.to_string(), "epoch  3/10  train loss 0.5000,  87.5 %  2.0 s");
        let event = EpochEvent { validation: train, ..event };
        assert!(event.to_string().contains("%  val loss 0.5000,  87.5 %  "), "{event}");
    }
}
