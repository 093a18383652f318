use std::collections::BTreeSet;
use std::fmt::{self, Display};

use report::SweepTrial;
use serde::Serialize;

use super::order::Setting;
use super::trials::Tried;
use crate::style;
use crate::table::{Align, Table};

/// The settings of a sweep, the best first.
#[derive(Debug, Serialize)]
pub struct Ranking {
    rows: Vec<Row>,
}

/// One setting.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What it overrides in the config.
    #[serde(serialize_with = "as_map")]
    pub overrides: Setting,
    /// The epochs of each of its runs.
    epochs: usize,
    /// The best validation accuracy of each seed, ascending.
    validation_accuracy: Vec<f64>,
    /// Their mean.
    mean: Option<f64>,
    /// Half the length of its 95 % confidence interval (Student 1908); `None` of a single seed.
    interval: Option<f64>,
    /// The test accuracies of runs that went to their end.
    test_accuracy: Vec<f64>,
    /// What went wrong.
    failed: Vec<String>,
}

fn as_map<S: serde::Serializer>(setting: &Setting, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(setting.iter().map(|(key, value)| (key, value)))
}

/// The most rows that are printed.
const PRINTED: usize = 20;

impl Ranking {
    /// Ranks by the epochs that halving left a setting, then by the mean validation accuracy.
    pub fn new(mut tried: Vec<Tried>) -> Self {
        tried.sort_by(|one, other| {
            let by_epochs = other.epochs.cmp(&one.epochs);
            by_epochs.then(other.mean().total_cmp(&one.mean()))
        });
        Self { rows: tried.into_iter().map(Row::new).collect() }
    }

    /// The best setting.
    pub fn best(&self) -> Option<&Row> {
        self.rows.first().filter(|row| row.mean.is_some())
    }

    /// Whether any run failed.
    pub fn has_failures(&self) -> bool {
        self.rows.iter().any(|row| !row.failed.is_empty())
    }

    /// What is drawn of it.
    pub fn trials(&self) -> Vec<SweepTrial> {
        let trial = |row: &Row| SweepTrial {
            values: row.overrides.clone(),
            score: row.mean,
            interval: row.interval,
            epochs: row.epochs,
        };
        self.rows.iter().map(trial).collect()
    }

    /// The first rows, the best of which stands out.
    fn table(&self) -> String {
        let numbers = ["rank", "validation accuracy", "epochs"].map(|head| (head, Align::Right));
        let heads = numbers.into_iter().chain([("setting", Align::Left)]);
        let mut table = Table::new(heads, 3);
        for (index, row) in self.rows.iter().take(PRINTED).enumerate() {
            let score = if index == 0 { style::strong(&row.score()) } else { row.score() };
            table.row([(index + 1).to_string(), score, row.epochs.to_string(), row.setting()]);
        }
        table.text()
    }

    /// All of it as a table.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| rank | validation accuracy | epochs | setting |\n| --- | --- | --- | --- |\n",
        );
        for (index, row) in self.rows.iter().enumerate() {
            text += &format!(
                "| {} | {} | {} | {} |\n",
                index + 1,
                row.score(),
                row.epochs,
                row.setting()
            );
        }
        text
    }
}

impl Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table())?;
        if self.rows.len() > PRINTED {
            writeln!(f, "and {} more", self.rows.len() - PRINTED)?;
        }
        let failed: BTreeSet<_> = self.rows.iter().flat_map(|row| &row.failed).collect();
        for message in failed {
            writeln!(f, "{} {message}", style::bad("failed:"))?;
        }
        let Some(best) = self.best() else { return write!(f, "no setting succeeded") };
        let tested = &best.test_accuracy;
        match tested.is_empty() {
            true => write!(f, "the best was chosen by its validation accuracy"),
            false => write!(
                f,
                "the best was chosen by its validation accuracy; test accuracy {:.1} %",
                100.0 * tested.iter().sum::<f64>() / tested.len() as f64
            ),
        }
    }
}

impl Row {
    fn new(tried: Tried) -> Self {
        let count = tried.scores.len();
        let mean = tried.failed.is_empty().then(|| tried.mean()).filter(|_| count > 0);
        let squares =
            mean.map(|mean| tried.scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>());
        let interval = squares.filter(|_| count > 1).map(|squares| {
            let deviation = (squares / (count - 1) as f64).sqrt();
            student(count - 1) * deviation / (count as f64).sqrt()
        });
        Self {
            overrides: tried.setting,
            epochs: tried.epochs,
            validation_accuracy: tried.scores,
            mean,
            interval,
            test_accuracy: tried.test,
            failed: tried.failed,
        }
    }

    fn score(&self) -> String {
        match (self.mean, self.interval) {
            (None, _) => "failed".to_owned(),
            (Some(mean), None) => format!("{:.1} %", 100.0 * mean),
            (Some(mean), Some(interval)) => {
                format!("{:.1} ± {:.1} %", 100.0 * mean, 100.0 * interval)
            }
        }
    }

    /// Each key by its last part, where no other ends like it.
    fn setting(&self) -> String {
        let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
        let is_alone =
            |name: &str| self.overrides.iter().filter(|(key, _)| last(key) == name).count() == 1;
        let pairs = self.overrides.iter().map(|(key, value)| {
            let name = Some(last(key)).filter(|name| is_alone(name));
            format!("{}={value}", name.unwrap_or_else(|| key.clone()))
        });
        pairs.collect::<Vec<_>>().join(" ")
    }
}

/// The 97.5 % quantile of Student's distribution.
fn student(freedom: usize) -> f64 {
    const FEW: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    // Beyond, the expansion of Cornish and Fisher is exact to three digits.
    let (z, n) = (1.959_964_f64, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    FEW.get(freedom.wrapping_sub(1)).copied().unwrap_or(z + first / n + second / (n * n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(epochs: usize, scores: &[f64]) -> Tried {
        Tried {
            setting: vec![("a".into(), "1".into())],
            epochs,
            scores: scores.to_vec(),
            test: vec![],
            failed: vec![],
        }
    }

    #[test]
    fn the_interval_is_that_of_student() {
        let row = Row::new(tried(1, &[0.90, 0.92, 0.94]));
        assert!((row.mean.unwrap() - 0.92).abs() < 1e-12);
        // 4.303 x 0.02 / sqrt(3)
        assert!((row.interval.unwrap() - 0.049_687).abs() < 1e-6);
        assert_eq!(Row::new(tried(1, &[0.9])).interval, None);
        assert!((student(20) - 2.086).abs() < 1e-3 && (student(1000) - 1.962).abs() < 1e-3);
    }

    #[test]
    fn who_was_given_up_ranks_below_who_went_on() {
        let failed = Tried { failed: vec!["no".into()], ..tried(9, &[0.99]) };
        let all = vec![tried(3, &[0.95]), failed, tried(9, &[0.8]), tried(9, &[0.9])];
        let means: Vec<_> = Ranking::new(all).rows.into_iter().map(|row| row.mean).collect();
        assert_eq!(means, [Some(0.9), Some(0.8), None, Some(0.95)]);
    }
}
