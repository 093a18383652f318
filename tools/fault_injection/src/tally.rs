use std::error::Error;
use std::fmt;

/// Results of the cases of a scenario.
#[derive(Debug, Default)]
pub struct Tally {
    /// Number of cases run.
    pub cases: usize,
    /// Failed cases, one line each.
    pub failures: Vec<String>,
    /// Further figures of the scenario, printed with the results.
    pub note: String,
}

/// Result of a scenario. An error means that it could not run.
pub type ScenarioResult = Result<Tally, Box<dyn Error>>;

/// Result of a case, or of a part of it.
pub type CaseResult<T = ()> = Result<T, Box<dyn Error>>;

/// Fails with a message unless the condition holds.
pub fn require<E: From<String>>(is_met: bool, failure: impl FnOnce() -> String) -> Result<(), E> {
    if is_met { Ok(()) } else { Err(failure().into()) }
}

impl Tally {
    /// Counts one case, described by `case`, and records its failure.
    pub fn record<E: fmt::Display>(&mut self, case: impl fmt::Display, result: Result<(), E>) {
        self.cases += 1;
        self.failures.extend(result.err().map(|error| format!("{case}: {error}")));
    }

    /// Adds the cases of `other`, but not its note.
    pub fn merge(&mut self, other: Self) {
        self.cases += other.cases;
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, failures, note } = self;
        write!(f, "{cases:>9} cases {:>4} failed", failures.len())?;
        if note.is_empty() { Ok(()) } else { write!(f, "  ({note})") }
    }
}
