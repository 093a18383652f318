use std::error::Error;
use std::fmt;

/// What a row has counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many faults were tried.
    pub tried: usize,
    /// What did not hold, a line each.
    pub losses: Vec<String>,
    /// What else was counted, if it says something.
    pub note: String,
}

/// What a row ends with. An error is a row that could not be tried.
pub type Outcome = Result<Tally, Box<dyn Error>>;

impl Tally {
    /// Counts one fault, and what was lost by it.
    pub fn count(&mut self, outcome: Result<(), String>) {
        self.tried += 1;
        self.losses.extend(outcome.err());
    }

    /// Counts what another has counted. Notes are not put together.
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.losses.extend(other.losses);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, losses, note } = self;
        write!(f, "{tried:>9} tried {:>4} lost", losses.len())?;
        if note.is_empty() { Ok(()) } else { write!(f, "  ({note})") }
    }
}
