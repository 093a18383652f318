//! Progress of long operations, as spans of the crate `tracing`.
//!
//! An operation reports its progress through a [`ProgressTask`]. Nothing is printed here, and
//! nothing is kept: a program that shows progress subscribes to the spans of [`TARGET`], whose
//! fields are `message`, `initial`, `done` and `total`.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::Span;

/// Target of the spans.
pub const TARGET: &str = "trainer::progress";

/// A running operation; its span closes when it is dropped.
#[derive(Debug)]
pub struct ProgressTask {
    span: Span,
    done: AtomicUsize,
}

impl ProgressTask {
    /// Starts a task of `total` units, described by `message`, for example `reading train.h5`.
    pub fn start(message: impl AsRef<str>, total: usize) -> Self {
        Self::resume(message, 0, total)
    }

    /// Starts a task of `total` units of which `initial` were done earlier.
    pub fn resume(message: impl AsRef<str>, initial: usize, total: usize) -> Self {
        let message = message.as_ref();
        let span = tracing::info_span!(
            target: TARGET, parent: None, "progress", message, initial, done = initial, total
        );
        Self { span, done: AtomicUsize::new(initial) }
    }

    /// Adds `units` to those done.
    pub fn advance(&self, units: usize) {
        let done = self.done.fetch_add(units, Ordering::Relaxed) + units;
        self.span.record("done", done);
    }

    /// Sets the number of units done, including the initial ones.
    pub fn set_done(&self, done: usize) {
        self.done.store(done, Ordering::Relaxed);
        self.span.record("done", done);
    }

    /// Replaces the number of units in total.
    pub fn set_total(&self, total: usize) {
        self.span.record("total", total);
    }

    /// Replaces the description.
    pub fn set_message(&self, message: impl AsRef<str>) {
        self.span.record("message", message.as_ref());
    }
}
