use std::collections::BTreeSet;
use std::fmt::{self, Display};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use report::SweepTrial;
use serde::Serialize;

use super::importance::{Importance, importance};
use super::sampling::Setting;
use super::trials::Trial;
use crate::style;
use crate::table::{Align, Table};

/// The settings of a sweep, best first.
#[derive(Debug, Serialize)]
pub struct Ranking {
    rows: Vec<RankedSetting>,
    /// Importance of the keys, most important first.
    #[serde(serialize_with = "as_map")]
    pub importance: Vec<Importance>,
}

/// A setting and its scores.
#[derive(Debug, Serialize)]
pub struct RankedSetting {
    /// Position, from 1; settings with equal accuracies after as many rounds share it.
    rank: usize,
    /// Rounds of the halving, 1 without it.
    rounds: usize,
    /// Overrides of the config.
    #[serde(serialize_with = "as_map")]
    pub overrides: Setting,
    /// Trained epochs, of the longest run.
    epochs: usize,
    /// Validation accuracy of each seed, ascending.
    validation_accuracy: Vec<f64>,
    /// Mean of the validation accuracies; `None` if a run failed.
    mean: Option<f64>,
    /// Range of the accuracies, from 5 seeds on the 95 % confidence interval of their mean (Efron
    /// 1979); `None` for one seed.
    interval: Option<[f64; 2]>,
    /// Test accuracies of the runs that trained all epochs.
    test_accuracy: Vec<f64>,
    /// Messages of the failed runs.
    failed: Vec<String>,
}

fn as_map<V: Serialize, S: serde::Serializer>(
    pairs: &[(String, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Maximum number of rows to print.
const PRINTED: usize = 20;

impl Ranking {
    /// Ranks by the number of rounds of the halving, then by the mean validation accuracy.
    pub fn new(mut trials: Vec<Trial>) -> Self {
        let importance = importance(&trials);
        trials.sort_by(|one, other| {
            let by_rounds = other.rounds.len().cmp(&one.rounds.len());
            by_rounds.then(other.mean().total_cmp(&one.mean()))
        });
        let mut rows: Vec<RankedSetting> = Vec::new();
        for (index, trial) in trials.into_iter().enumerate() {
            let mut row = RankedSetting::new(trial);
            let equal = rows.last().filter(|last| last.place() == row.place());
            row.rank = equal.map_or(index + 1, |last| last.rank);
            rows.push(row);
        }
        Self { rows, importance }
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
            rounds: row.rounds,
            rank: row.rank,
        });
        rows.collect()
    }

    /// The rows by the number of rounds of the halving.
    fn rungs(&self) -> impl Iterator<Item = &[RankedSetting]> {
        self.rows.chunk_by(|one, other| one.rounds == other.rounds)
    }

    /// A heading for each rung, if there are several.
    fn heading(&self, rung: &[RankedSetting]) -> Option<String> {
        let has_several = self.rungs().nth(1).is_some();
        let epochs = rung.iter().filter(|_| has_several).map(|row| row.epochs).max()?;
        let settings = if rung.len() == 1 { "setting" } else { "settings" };
        Some(format!("trained for {epochs} epochs: {} {settings}", rung.len()))
    }

    /// The first rows as text, with the best score emphasized.
    fn table(&self) -> String {
        let (mut text, mut left) = (String::new(), PRINTED);
        for rung in self.rungs() {
            let numbers = ["rank", "validation accuracy", "epochs"].map(|it| (it, Align::Right));
            let heads = numbers.into_iter().chain([("setting", Align::Left)]);
            let mut table = Table::new(heads, 3);
            for row in rung.iter().take(left) {
                let score = if row.rank == 1 { style::strong(&row.score()) } else { row.score() };
                table.row([row.rank.to_string(), score, row.epochs.to_string(), row.setting()]);
            }
            if left > 0 {
                text += &self.heading(rung).map_or(String::new(), |it| style::faint(&it) + "\n");
                text += &(table.text() + "\n");
            }
            left = left.saturating_sub(rung.len());
        }
        text.trim_end().to_owned()
    }

    /// The importance of each key.
    fn importance_table(&self) -> String {
        let mut table = Table::new([("importance", Align::Right), ("key", Align::Left)], 1);
        for (key, share) in &self.importance {
            table.row([format!("{:.0} %", 100.0 * share), key.clone()]);
        }
        table.text()
    }

    /// All rows as Markdown tables.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for rung in self.rungs() {
            text +=
                &self.heading(rung).map_or(String::new(), |heading| format!("\n## {heading}\n\n"));
            text +=
                "| rank | validation accuracy | epochs | setting |\n| --- | --- | --- | --- |\n";
            for row in rung {
                let (rank, score, epochs, setting) =
                    (row.rank, row.score(), row.epochs, row.setting());
                text += &format!("| {rank} | {score} | {epochs} | {setting} |\n");
            }
        }
        text.trim_start().to_owned()
    }
}

impl Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table())?;
        if self.rows.len() > PRINTED {
            writeln!(f, "and {} more", self.rows.len() - PRINTED)?;
        }
        if !self.importance.is_empty() {
            writeln!(f, "{}", self.importance_table())?;
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
    fn new(trial: Trial) -> Self {
        let count = trial.scores.len();
        let mean = trial.failed.is_empty().then(|| trial.mean()).filter(|_| count > 0);
        Self {
            rank: 0,
            rounds: trial.rounds.len(),
            overrides: trial.setting,
            epochs: trial.epochs,
            interval: mean.and_then(|_| interval(&trial.scores)),
            validation_accuracy: trial.scores,
            mean,
            test_accuracy: trial.test_scores,
            failed: trial.failed,
        }
    }

    /// What settings of one rank have in common.
    fn place(&self) -> (usize, Option<f64>) {
        (self.rounds, self.mean)
    }

    fn score(&self) -> String {
        match (self.mean, self.interval) {
            (None, _) => "failed".to_owned(),
            (Some(mean), None) => format!("{:.1} %", 100.0 * mean),
            (Some(mean), Some([low, high])) => {
                format!("{:.1} % ({:.1} to {:.1})", 100.0 * mean, 100.0 * low, 100.0 * high)
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

/// Number of scores from which a confidence interval is better than their range.
const FEW: usize = 5;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 2000;

/// The range of a few ascending `scores`, or the 95 % percentile interval of the mean of more, by the
/// bootstrap; both lie within the scores.
fn interval(scores: &[f64]) -> Option<[f64; 2]> {
    if scores.len() < FEW {
        let [first, .., last] = scores else { return None };
        return Some([*first, *last]);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut resample = || {
        let sampled = scores.iter().filter_map(|_| scores.get(rng.random_range(0..scores.len())));
        sampled.sum::<f64>() / scores.len() as f64
    };
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample()).collect();
    means.sort_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    Some([*means.get(tail)?, *means.get(RESAMPLES - 1 - tail)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(rounds: usize, scores: &[f64]) -> Trial {
        Trial {
            setting: vec![("a".into(), "1".into())],
            epochs: 3_usize.pow(rounds as u32),
            rounds: vec![0.5; rounds],
            scores: scores.to_vec(),
            test_scores: vec![],
            failed: vec![],
        }
    }

    #[test]
    fn an_interval_lies_within_the_scores() {
        let interval = |scores: &[f64]| RankedSetting::new(trial(1, scores)).interval;
        assert_eq!(interval(&[0.9]), None);
        assert_eq!(interval(&[0.90, 0.92, 1.0]), Some([0.90, 1.0]));
        let [low, high] = interval(&[0.7, 0.8, 0.9, 1.0, 1.0, 1.0]).unwrap();
        // Mean 0.9 with a standard error of 0.05.
        assert!((0.78..0.84).contains(&low) && (0.96..=1.0).contains(&high), "{low} {high}");
        assert_eq!(interval(&[1.0; 7]), Some([1.0, 1.0]));
    }

    #[test]
    fn equal_scores_share_a_rank_and_each_rung_has_a_heading() {
        let all = [(2, 0.8), (2, 0.9), (2, 0.9), (1, 0.9)];
        let ranking = Ranking::new(all.map(|(rounds, score)| trial(rounds, &[score])).to_vec());
        let ranks: Vec<_> = ranking.rows.iter().map(|row| row.rank).collect();
        assert_eq!(ranks, [1, 1, 3, 4]);
        let text = style::plain(&ranking.table());
        let headings: Vec<_> = text.lines().filter(|line| line.contains("trained for")).collect();
        let expected = ["trained for 9 epochs: 3 settings", "trained for 3 epochs: 1 setting"];
        assert_eq!(headings, expected);
        assert_eq!(ranking.markdown().matches("\n## ").count() + 1, 2);
    }

    #[test]
    fn settings_of_fewer_rounds_rank_below_the_others() {
        let failed = Trial { failed: vec!["no".into()], ..trial(2, &[0.99]) };
        let all = vec![trial(1, &[0.95]), failed, trial(2, &[0.8]), trial(2, &[0.9])];
        let means: Vec<_> = Ranking::new(all).rows.into_iter().map(|row| row.mean).collect();
        assert_eq!(means, [Some(0.9), Some(0.8), None, Some(0.95)]);
    }
}
