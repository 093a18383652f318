use serde::Serialize;

/// Distribution of a number over the seeds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Spread {
    /// All values, ascending.
    pub all: Vec<f64>,
    /// Median; NaN without values.
    pub median: f64,
}

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut all: Vec<f64> = values.into_iter().collect();
        all.sort_by(f64::total_cmp);
        // Both indices are the same for an odd number of values.
        let middle = [all.len().saturating_sub(1) / 2, all.len() / 2].map(|index| all.get(index));
        let median = match middle {
            [Some(low), Some(high)] => (low + high) / 2.0,
            _ => f64::NAN,
        };
        Self { all, median }
    }
}

impl Spread {
    /// Lowest and highest value in percent.
    pub fn range(&self) -> String {
        match (self.all.first(), self.all.last()) {
            (Some(&lowest), Some(&highest)) => format!("{}-{}", percent(lowest), percent(highest)),
            _ => "-".to_owned(),
        }
    }

    /// Median in percent.
    pub fn median(&self) -> String {
        if self.all.is_empty() { "-".to_owned() } else { percent(self.median) }
    }

    /// Median with lowest and highest value, in percent.
    pub fn median_and_range(&self) -> String {
        format!("{} ({})", self.median(), self.range())
    }
}

/// A share in percent, with one decimal.
pub fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
