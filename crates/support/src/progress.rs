//! Progress of long operations.
//!
//! An operation reports its progress through a [`ProgressTask`]; a display polls
//! [`Progress::current`]. Nothing is printed here. The list of running tasks is the only
//! process-wide state: tasks start deep inside libraries, and a process has one terminal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A running operation, listed until it is dropped.
#[derive(Debug)]
pub struct ProgressTask(Arc<TaskState>);

/// Snapshot of the progress of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Description of the task, for example `reading train_signs.h5`.
    pub message: String,
    /// Units that were done before the task started.
    pub initial: usize,
    /// Units done, including the initial ones.
    pub done: usize,
    /// Units in total.
    pub total: usize,
    /// Time since the task started.
    pub elapsed: Duration,
}

#[derive(Debug)]
struct TaskState {
    message: Mutex<String>,
    initial: usize,
    done: AtomicUsize,
    total: usize,
    started: Instant,
}

/// Running tasks, oldest first.
static RUNNING: Mutex<Vec<Arc<TaskState>>> = Mutex::new(Vec::new());

impl ProgressTask {
    /// Starts a task of `total` units.
    pub fn start(message: impl Into<String>, total: usize) -> Self {
        Self::resume(message, 0, total)
    }

    /// Starts a task of `total` units of which `initial` were done earlier.
    pub fn resume(message: impl Into<String>, initial: usize, total: usize) -> Self {
        let state = Arc::new(TaskState {
            message: Mutex::new(message.into()),
            initial,
            done: AtomicUsize::new(initial),
            total,
            started: Instant::now(),
        });
        locked(&RUNNING).push(Arc::clone(&state));
        Self(state)
    }

    /// Adds `units` to those done.
    pub fn advance(&self, units: usize) {
        self.0.done.fetch_add(units, Ordering::Relaxed);
    }

    /// Sets the number of units done, including the initial ones.
    pub fn set_done(&self, done: usize) {
        self.0.done.store(done, Ordering::Relaxed);
    }

    /// Replaces the description.
    pub fn set_message(&self, message: impl Into<String>) {
        *locked(&self.0.message) = message.into();
    }
}

impl Drop for ProgressTask {
    fn drop(&mut self) {
        locked(&RUNNING).retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

impl Progress {
    /// Returns the progress of the oldest running task; later tasks are usually parts of it.
    pub fn current() -> Option<Self> {
        locked(&RUNNING).first().map(|state| state.progress())
    }

    /// Fraction of the units that are done, 0 to 1.
    pub fn fraction(&self) -> f64 {
        (self.done as f64 / self.total.max(1) as f64).min(1.0)
    }

    /// Estimated time to the end at the pace so far; `None` until a unit is done.
    pub fn remaining(&self) -> Option<Duration> {
        let rest = self.total.saturating_sub(self.done) as f64;
        let done = self.done.checked_sub(self.initial).filter(|&done| done > 0)?;
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * rest / done as f64).ok()
    }
}

impl TaskState {
    fn progress(&self) -> Progress {
        Progress {
            message: locked(&self.message).clone(),
            initial: self.initial,
            done: self.done.load(Ordering::Relaxed),
            total: self.total,
            elapsed: self.started.elapsed(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(initial: usize, done: usize, seconds: u64) -> Progress {
        let elapsed = Duration::from_secs(seconds);
        Progress { message: "reading".to_owned(), initial, done, total: 100, elapsed }
    }

    #[test]
    fn the_remaining_time_is_estimated_from_the_pace_since_the_start() {
        assert_eq!(progress(0, 25, 10).remaining(), Some(Duration::from_secs(30)));
        assert_eq!(progress(50, 75, 10).remaining(), Some(Duration::from_secs(10)));
        assert_eq!(progress(50, 50, 10).remaining(), None);
        assert_eq!(progress(0, 130, 10).remaining(), Some(Duration::ZERO));
    }

    #[test]
    fn a_task_is_listed_until_it_is_dropped() {
        let task = ProgressTask::resume("counting", 2, 10);
        task.advance(3);
        let state = Arc::clone(&task.0);
        let is_listed = || locked(&RUNNING).iter().any(|other| Arc::ptr_eq(other, &state));
        assert!(is_listed());
        assert_eq!((state.progress().done, state.progress().fraction()), (5, 0.5));
        task.set_message("still counting");
        assert_eq!(state.progress().message, "still counting");
        drop(task);
        assert!(!is_listed());
    }
}
