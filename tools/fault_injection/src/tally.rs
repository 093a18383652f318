use std::error::Error;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Results of the cases of a scenario.
#[derive(Debug, Default)]
pub struct Tally {
    pub cases: usize,
    /// Failed cases, one line each.
    pub failures: Vec<String>,
    /// Further figures of the scenario, printed with the results.
    pub note: String,
}

/// Result of a scenario. An error means that it could not run.
pub type ScenarioResult = CaseResult<Tally>;

/// Result of a case, or of a part of it.
pub type CaseResult<T = ()> = Result<T, Box<dyn Error>>;

/// Fails with a message unless the condition holds.
pub fn require<E: From<String>>(is_met: bool, failure: impl FnOnce() -> String) -> Result<(), E> {
    if is_met { Ok(()) } else { Err(failure().into()) }
}

impl Tally {
    /// Calls `run_case` with 0, 1, 2, .. on all cores until one call returns `None`. The calls of a
    /// core add to one tally; the result is the sum of all.
    pub fn on_all_cores(run_case: impl Fn(usize, &mut Self) -> Option<()> + Sync) -> Self {
        let next = AtomicUsize::new(0);
        let total = Mutex::new(Self::default());
        let work = || {
            let mut tally = Self::default();
            while run_case(next.fetch_add(1, Ordering::Relaxed), &mut tally).is_some() {}
            total.lock().map(|mut total| total.merge(tally)).ok();
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
        total.into_inner().unwrap_or_default()
    }

    /// Counts one case, described by `case`, and records its failure.
    pub fn record<E: fmt::Display>(&mut self, case: impl fmt::Display, result: Result<(), E>) {
        self.cases += 1;
        self.failures.extend(result.err().map(|error| format!("{case}: {error}")));
    }

    /// Returns the value, or records why there is none.
    pub fn value<T, E: fmt::Display>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.failures.push(format!("could not run: {error}"))).ok()
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
