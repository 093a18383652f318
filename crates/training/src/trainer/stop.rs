use std::fmt;

/// A request to stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C, or `q` in the dashboard.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupted => "interrupted by the user",
            Self::Terminated => "terminated by SIGTERM",
        })
    }
}

/// Called after every step. Returns a value to stop the run.
pub type StopSource = Box<dyn FnMut() -> Option<Stop> + Send>;
