use std::fmt;

/// A request to stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C, or `q` in the dashboard.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// Fewer workers are left than `distributed.minimum`.
    TooFewWorkers,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupted => "interrupted by the user",
            Self::Terminated => "terminated by SIGTERM",
            Self::TooFewWorkers => "too few workers were left",
        })
    }
}

/// Called after every step. Returns a value to stop the run.
pub type StopSource = Box<dyn FnMut() -> Option<Stop> + Send>;
