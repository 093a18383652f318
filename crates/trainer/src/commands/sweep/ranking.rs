use std::collections::BTreeSet;
use std::fmt::{self, Display};

use report::SweepTrial;
use serde::Serialize;

use super::sampling::Setting;
use super::trials::TrialResult;
use crate::style;
use crate::table::{Align, Table};

/// The settings of a sweep, best first.
#[derive(Debug, Serialize)]
pub struct Ranking {
    rows: Vec<RankedSetting>,
}

/// A setting and its scores.
#[derive(Debug, Serialize)]
pub struct RankedSetting {
    /// Overrides of the config.
    #[serde(serialize_with = "as_map")]
    pub overrides: Setting,
    /// Epochs of each run.
    epochs: usize,
    /// Best validation accuracy of each seed, ascending.
    validation_accuracy: Vec<f64>,
    /// Mean of the validation accuracies; `None` if a run failed.
    mean: Option<f64>,
    /// Half-width of the 95 % confidence interval of the mean (Student 1908); `None` for one seed.
    interval: Option<f64>,
    /// Test accuracies of the runs that trained all epochs.
    test_accuracy: Vec<f64>,
    /// Messages of the failed runs.
    failed: Vec<String>,
}

fn as_map<S: serde::Serializer>(setting: &Setting, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(setting.iter().map(|(key, value)| (key, value)))
}

/// Maximum number of rows to print.
const PRINTED: usize = 20;

impl Ranking {
    /// Ranks by the number of epochs, which halving limits, then by the mean validation accuracy.
    pub fn new(mut results: Vec<TrialResult>) -> Self {
        results.sort_by(|one, other| {
            let by_epochs = other.epochs.cmp(&one.epochs);
            by_epochs.then(other.mean().total_cmp(&one.mean()))
        });
        Self { rows: results.into_iter().map(RankedSetting::new).collect() }
    }

    /// The best setting, if it succeeded.
    pub fn best(&self) -> Option<&RankedSetting> {
        self.rows.first().filter(|row| row.mean.is_some())
    }

    /// Whether any run failed.
    pub fn has_failures(&self) -> bool {
        self.rows.iter().any(|row| !row.failed.is_empty())
    }

    /// Settings and scores for the report.
    pub fn trials(&self) -> Vec<SweepTrial> {
        let rows = self.rows.iter().map(|row| SweepTrial {
            values: row.overrides.clone(),
            score: row.mean,
            interval: row.interval,
            epochs: row.epochs,
        });
        rows.collect()
    }

    /// The first rows as text, with the best score emphasized.
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

    /// All rows as a Markdown table.
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
        write!(f, "best setting selected by validation accuracy")?;
        let tested = &best.test_accuracy;
        if tested.is_empty() {
            return Ok(());
        }
        let mean = tested.iter().sum::<f64>() / tested.len() as f64;
        write!(f, "; test accuracy {:.1} %", 100.0 * mean)
    }
}

impl RankedSetting {
    fn new(result: TrialResult) -> Self {
        let count = result.scores.len();
        let mean = result.failed.is_empty().then(|| result.mean()).filter(|_| count > 0);
        let squares =
            mean.map(|mean| result.scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>());
        let interval = squares.filter(|_| count > 1).map(|squares| {
            let deviation = (squares / (count - 1) as f64).sqrt();
            student(count - 1) * deviation / (count as f64).sqrt()
        });
        Self {
            overrides: result.setting,
            epochs: result.epochs,
            validation_accuracy: result.scores,
            mean,
            interval,
            test_accuracy: result.test_scores,
            failed: result.failed,
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

    /// Each key by its last segment, if that is unambiguous, with its value.
    fn setting(&self) -> String {
        let mut pairs = Vec::new();
        for (key, value) in &self.overrides {
            let name = last_segment(key);
            let same = self.overrides.iter().filter(|(key, _)| last_segment(key) == name).count();
            pairs.push(format!("{}={value}", if same == 1 { name } else { key }));
        }
        pairs.join(" ")
    }
}

fn last_segment(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The 97.5 % quantile of Student's t-distribution.
fn student(freedom: usize) -> f64 {
    const FEW: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    // For more degrees of freedom, the Cornish-Fisher expansion is exact to three digits.
    let (z, n) = (1.959_964_f64, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    FEW.get(freedom.wrapping_sub(1)).copied().unwrap_or(z + first / n + second / (n * n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(epochs: usize, scores: &[f64]) -> TrialResult {
        TrialResult {
            setting: vec![("a".into(), "1".into())],
            epochs,
            scores: scores.to_vec(),
            test_scores: vec![],
            failed: vec![],
        }
    }

    #[test]
    fn the_interval_is_that_of_student() {
        let row = RankedSetting::new(result(1, &[0.90, 0.92, 0.94]));
        assert!((row.mean.unwrap() - 0.92).abs() < 1e-12);
        // 4.303 x 0.02 / sqrt(3)
        assert!((row.interval.unwrap() - 0.049_687).abs() < 1e-6);
        assert_eq!(RankedSetting::new(result(1, &[0.9])).interval, None);
        assert!((student(20) - 2.086).abs() < 1e-3 && (student(1000) - 1.962).abs() < 1e-3);
    }

    #[test]
    fn settings_with_fewer_epochs_rank_below_the_others() {
        let failed = TrialResult { failed: vec!["no".into()], ..result(9, &[0.99]) };
        let all = vec![result(3, &[0.95]), failed, result(9, &[0.8]), result(9, &[0.9])];
        let means: Vec<_> = Ranking::new(all).rows.into_iter().map(|row| row.mean).collect();
        assert_eq!(means, [Some(0.9), Some(0.8), None, Some(0.95)]);
    }
}
