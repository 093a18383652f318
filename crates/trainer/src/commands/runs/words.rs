//! How runs are put into words.

use training::{RunRecord, RunStatus};

use crate::style;

/// How a run is, in its colour.
pub fn status(status: RunStatus) -> String {
    let word = status.as_str();
    match status {
        RunStatus::Running => style::busy(word),
        RunStatus::Finished => style::good(word),
        RunStatus::Interrupted => style::doubtful(word),
        RunStatus::Failed => style::bad(word),
    }
}

/// A share in percent, or a dash.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(dash, |share| format!("{:.1}", 100.0 * share))
}

/// A duration, or a dash.
pub fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(dash, |seconds| format!("{seconds:.1}"))
}

/// How many epochs are done, and of how many if not all are.
pub fn epochs(record: &RunRecord) -> String {
    match (record.epochs_done, record.epochs) {
        (done, epochs) if done == epochs => done.to_string(),
        (done, epochs) => format!("{done}/{epochs}"),
    }
}

/// When it was started, without year and seconds.
pub fn started(record: &RunRecord) -> String {
    record.started.get(5..16).unwrap_or(&record.started).replace('T', " ")
}

/// What stands where there is nothing.
pub fn dash() -> String {
    "-".to_owned()
}
