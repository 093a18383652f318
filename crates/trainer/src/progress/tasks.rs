//! The running tasks of the libraries, collected from their `tracing` spans.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use support::progress::TARGET;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer};

/// Running tasks, oldest first.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Mutex<Vec<(Id, Task)>>>);

/// A running task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Description, for example `reading train_signs.h5`.
    pub message: String,
    /// Units that were done before the task started.
    pub initial: u64,
    /// Units done, including the initial ones.
    pub done: u64,
    /// Units in total.
    pub total: u64,
    /// Start of the task.
    pub started: Instant,
}

impl Tasks {
    /// The oldest running task; later tasks are usually parts of it.
    pub fn oldest(&self) -> Option<Task> {
        self.lock().first().map(|(_, task)| task.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, Task)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    fn new() -> Self {
        Self { message: String::new(), initial: 0, done: 0, total: 0, started: Instant::now() }
    }

    /// Fraction of the units that are done, 0 to 1.
    pub fn fraction(&self) -> f64 {
        (self.done as f64 / self.total.max(1) as f64).min(1.0)
    }

    /// Estimated time to the end at the pace of the time `elapsed`; `None` until a unit is done.
    pub fn remaining(&self, elapsed: Duration) -> Option<Duration> {
        let rest = self.total.saturating_sub(self.done) as f64;
        let done = self.done.checked_sub(self.initial).filter(|&done| done > 0)?;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest / done as f64).ok()
    }
}

impl<S: Subscriber> Layer<S> for Tasks {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut task = Task::new();
        attributes.record(&mut task);
        self.lock().push((id.clone(), task));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some((_, task)) = self.lock().iter_mut().find(|(other, _)| other == id) {
            values.record(task);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.lock().retain(|(other, _)| *other != id);
    }
}

/// Admits the spans of tasks only.
pub struct TaskSpans;

impl<S> Filter<S> for TaskSpans {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.target() == TARGET
    }
}

impl Visit for Task {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "initial" => self.initial = value,
            "done" => self.done = value,
            "total" => self.total = value,
            _ => {}
        }
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        value.clone_into(&mut self.message);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use support::ProgressTask;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn the_oldest_running_task_is_collected_with_its_progress() {
        let tasks = Tasks::default();
        let subscriber = tracing_subscriber::registry().with(tasks.clone().with_filter(TaskSpans));
        tracing::subscriber::with_default(subscriber, || {
            let reading = ProgressTask::resume("reading", 10, 100);
            let part = ProgressTask::start("hashing", 5);
            reading.advance(15);
            part.advance(1);
            let _other = tracing::info_span!("other").entered();
            let oldest = tasks.oldest().unwrap();
            assert_eq!((oldest.message.as_str(), oldest.initial), ("reading", 10));
            assert_eq!((oldest.done, oldest.total), (25, 100));
            reading.set_message("still reading");
            reading.set_done(90);
            let oldest = tasks.oldest().unwrap();
            assert_eq!((oldest.message.as_str(), oldest.done), ("still reading", 90));
            drop(reading);
            assert_eq!(tasks.oldest().unwrap().message, "hashing");
            drop(part);
            assert_eq!(tasks.oldest(), None);
        });
    }

    #[test]
    fn the_remaining_time_follows_the_pace_of_this_process() {
        let task = |initial, done| Task { initial, done, total: 100, ..Task::new() };
        let remaining =
            |task: Task| task.remaining(Duration::from_secs(10)).map(|left| left.as_secs());
        assert_eq!(remaining(task(0, 0)), None);
        assert_eq!(remaining(task(0, 50)), Some(10));
        assert_eq!(remaining(task(50, 75)), Some(10));
        assert_eq!(task(0, 25).fraction(), 0.25);
    }
}
