//! Formats the values of a run for tables and texts.

use training::runs::{RunRecord, RunStatus};

use crate::style;

/// Formats a status in its colour.
pub fn status(status: RunStatus) -> String {
    let word = status.as_str();
    match status {
        RunStatus::Running => style::busy(word),
        RunStatus::Finished => style::good(word),
        RunStatus::Stopped | RunStatus::Interrupted => style::doubtful(word),
        RunStatus::Failed => style::bad(word),
    }
}

/// Formats a fraction as percent, or a dash.
pub fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(dash, |fraction| format!("{:.1}", 100.0 * fraction))
}

/// Formats a duration in seconds, or a dash.
pub fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(dash, |seconds| format!("{seconds:.1}"))
}

/// Formats the number of completed epochs, such as `3/10`, or `10` if all are completed.
pub fn epochs(record: &RunRecord) -> String {
    let done = record.epochs_done;
    match record.epochs {
        Some(epochs) if epochs != done => format!("{done}/{epochs}"),
        _ => done.to_string(),
    }
}

/// Placeholder for a missing value.
pub fn dash() -> String {
    "-".to_owned()
}
