use std::collections::BTreeSet;
use std::fmt::{self, Display};

use report::SweepTrial;
use serde::Serialize;

use super::importance::{Importance, importance};
use super::trials::{Trial, as_map};
use crate::style;
use crate::table::Table;

/// The settings of a sweep, best first.
#[derive(Debug, Serialize)]
pub struct Ranking {
    rows: Vec<Trial>,
    /// Importance of the keys, most important first.
    #[serde(serialize_with = "as_map")]
    pub importance: Vec<Importance>,
}

/// Maximum number of rows to print.
const PRINTED: usize = 20;

impl Ranking {
    /// Ranks by the number of rounds of the halving, then by the mean validation accuracy.
    pub fn new(mut rows: Vec<Trial>) -> Self {
        let importance = importance(&rows);
        rows.sort_by(|one, other| {
            let by_rounds = other.rounds.len().cmp(&one.rounds.len());
            by_rounds.then(other.score().total_cmp(&one.score()))
        });
        let (mut place, mut rank) = (None, 0);
        for (index, row) in rows.iter_mut().enumerate() {
            // What settings of one rank have in common.
            let own = Some((row.rounds.len(), row.mean));
            if own != place {
                (place, rank) = (own, index + 1);
            }
            row.rank = rank;
        }
        Self { rows, importance }
    }

    /// The best setting, if it succeeded.
    pub fn best(&self) -> Option<&Trial> {
        self.rows.first().filter(|row| row.mean.is_some())
    }

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
            rounds: row.rounds.len(),
            runs: row.runs.clone(),
            rank: row.rank,
        });
        rows.collect()
    }

    /// The rows by the number of rounds of the halving.
    fn rungs(&self) -> impl Iterator<Item = &[Trial]> {
        self.rows.chunk_by(|one, other| one.rounds.len() == other.rounds.len())
    }

    /// A heading for each rung, if there are several.
    fn heading(&self, rung: &[Trial]) -> Option<String> {
        let has_several = self.rungs().nth(1).is_some();
        let epochs = rung.iter().filter(|_| has_several).map(|row| row.epochs).max()?;
        let settings = if rung.len() == 1 { "setting" } else { "settings" };
        Some(format!("trained for {epochs} epochs: {} {settings}", rung.len()))
    }

    /// The first rows as text, with the best score emphasized.
    fn table(&self) -> String {
        let (mut text, mut left) = (String::new(), PRINTED);
        for rung in self.rungs() {
            let mut table = Table::new(["rank", "validation accuracy", "epochs", "setting"], &[3]);
            for row in rung.iter().take(left) {
                let score = score(row);
                let score = if row.rank == 1 { style::strong(&score) } else { score };
                table.row([row.rank.to_string(), score, row.epochs.to_string(), setting(row)]);
            }
            if left > 0 {
                text += &self.heading(rung).map_or(String::new(), |it| style::faint(&it) + "\n");
                text += &(table.text() + "\n");
            }
            left = left.saturating_sub(rung.len());
        }
        text.trim_end().to_owned()
    }

    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for rung in self.rungs() {
            text +=
                &self.heading(rung).map_or(String::new(), |heading| format!("\n## {heading}\n\n"));
            text +=
                "| rank | validation accuracy | epochs | setting |\n| --- | --- | --- | --- |\n";
            for row in rung {
                let (rank, epochs) = (row.rank, row.epochs);
                text += &format!("| {rank} | {} | {epochs} | {} |\n", score(row), setting(row));
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
            let mut table = Table::new(["importance", "key"], &[1]);
            for (key, share) in &self.importance {
                table.row([format!("{:.0} %", 100.0 * share), key.clone()]);
            }
            writeln!(f, "{}", table.text())?;
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

/// The mean of a row and its interval.
fn score(row: &Trial) -> String {
    match (row.mean, row.interval) {
        (None, _) => "failed".to_owned(),
        (Some(mean), None) => format!("{:.1} %", 100.0 * mean),
        (Some(mean), Some([low, high])) => {
            format!("{:.1} % ({:.1} to {:.1})", 100.0 * mean, 100.0 * low, 100.0 * high)
        }
    }
}

/// Each key of a row by its last segment, if that is unambiguous, with its value.
fn setting(row: &Trial) -> String {
    let last_segment = |key: &str| key.rsplit('.').next().map(str::to_owned);
    let pairs = row.overrides.iter().map(|(key, value)| {
        let name = last_segment(key);
        let same = row.overrides.iter().filter(|(key, _)| last_segment(key) == name).count();
        let name = name.filter(|_| same == 1).unwrap_or(key.clone());
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(rounds: usize, score: f64) -> Trial {
        Trial {
            overrides: vec![("a".into(), "1".into())],
            epochs: 3_usize.pow(rounds as u32),
            rounds: vec![0.5; rounds],
            validation_accuracy: vec![score],
            mean: Some(score),
            ..Trial::default()
        }
    }

    #[test]
    fn equal_scores_share_a_rank_and_each_rung_has_a_heading() {
        let all = [(2, 0.8), (2, 0.9), (2, 0.9), (1, 0.9)];
        let ranking = Ranking::new(all.map(|(rounds, score)| trial(rounds, score)).to_vec());
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
        let failed = Trial { failed: vec!["no".into()], mean: None, ..trial(2, 0.99) };
        let all = vec![trial(1, 0.95), failed, trial(2, 0.8), trial(2, 0.9)];
        let means: Vec<_> = Ranking::new(all).rows.into_iter().map(|row| row.mean).collect();
        assert_eq!(means, [Some(0.9), Some(0.8), None, Some(0.95)]);
    }
}
