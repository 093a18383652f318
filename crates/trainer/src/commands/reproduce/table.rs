use std::fmt::{self, Display};
use std::fs;
use std::path::Path;

use serde::Serialize;
use training::ReferenceConfig;

use super::experiments::Experiment;
use super::runs::Ended;
use crate::error::Failure;

/// What all experiments reached beside what they are known to reach.
#[derive(Debug, Serialize)]
pub struct Table {
    rows: Vec<Row>,
}

/// One experiment.
#[derive(Debug, Serialize)]
struct Row {
    experiment: String,
    reference: ReferenceConfig,
    /// Whether any run was on the drawn stand-in, whose scores compare with nothing.
    stand_in: bool,
    train_accuracy: Spread,
    test_accuracy: Spread,
    seconds: Spread,
    /// What went wrong, one text a run that failed.
    failed: Vec<String>,
    /// What is below the reference by more than its tolerance.
    short: Vec<String>,
}

/// How a number is spread over the seeds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Spread {
    /// Each number, ascending.
    all: Vec<f64>,
    /// The middle one, or the mean of the two in the middle; NaN if there is none.
    median: f64,
}

impl Table {
    /// The table of what became of the runs of `experiments`, by their index.
    pub fn new(experiments: &[Experiment], ended: Vec<(usize, Ended)>) -> Self {
        let mut runs: Vec<Vec<Ended>> = experiments.iter().map(|_| Vec::new()).collect();
        ended.into_iter().for_each(|(experiment, ended)| runs[experiment].push(ended));
        Self {
            rows: experiments.iter().zip(runs).map(|(one, runs)| Row::new(one, &runs)).collect(),
        }
    }

    /// Whether every run succeeded and none is short of its reference.
    pub fn is_reproduced(&self) -> bool {
        self.rows.iter().all(|row| row.failed.is_empty() && row.short.is_empty())
    }

    /// Saves it as Markdown and as JSON.
    pub fn save(&self, directory: &Path) -> Result<(), Failure> {
        let json = format!("{:#}\n", serde_json::json!(self));
        for (name, text) in [("table.md", self.markdown()), ("table.json", json)] {
            let path = directory.join(name);
            fs::write(&path, text).map_err(|error| {
                Failure::failed(format!(
                    "cannot write {}: {error}\n  free some space and repeat with --resume {}",
                    path.display(),
                    directory.display()
                ))
            })?;
        }
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut text = String::from(
            "| experiment | course, train / test % | ours, train: median (lowest to highest) | ours, test | seconds | |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            let known = |share: Option<f64>| share.map_or("-".to_owned(), percent);
            text += &format!(
                "| {} | {} / {} | {} ({}) | {} ({}) | {:.1} | {} |\n",
                row.experiment,
                known(row.reference.train_accuracy),
                known(row.reference.test_accuracy),
                percent(row.train_accuracy.median),
                row.train_accuracy.range(),
                percent(row.test_accuracy.median),
                row.test_accuracy.range(),
                row.seconds.median,
                row.remark()
            );
        }
        text
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.experiment.len()).max().unwrap_or(0).max(10);
        writeln!(f, "\n{:<width$}   course (%)     ours, train       ours, test", "")?;
        writeln!(
            f,
            "{:<width$}  train  test  median  range       median  range       seconds",
            "experiment"
        )?;
        for row in &self.rows {
            writeln!(f, "{:<width$}  {}", row.experiment, row.numbers())?;
        }
        for row in self.rows.iter().filter(|row| !row.remark().is_empty()) {
            writeln!(f, "{} {}: {}", row.mark(), row.experiment, row.remark())?;
        }
        Ok(())
    }
}

impl Row {
    fn new(experiment: &Experiment, runs: &[Ended]) -> Self {
        let finished = runs.iter().filter_map(|run| match run {
            Ended::Finished(summary) => Some(summary),
            Ended::Failed(_) => None,
        });
        let failed = runs.iter().filter_map(|run| match run {
            Ended::Finished(_) => None,
            Ended::Failed(message) => Some(message.clone()),
        });
        let mut row = Self {
            experiment: experiment.name().to_owned(),
            reference: experiment.reference.clone(),
            stand_in: finished.clone().any(|summary| summary.stand_in),
            train_accuracy: finished.clone().map(|summary| summary.train_accuracy).collect(),
            test_accuracy: finished.clone().map(|summary| summary.test_accuracy).collect(),
            seconds: finished.map(|summary| summary.seconds).collect(),
            failed: failed.collect(),
            short: Vec::new(),
        };
        row.short = row.shortfalls();
        row
    }

    fn shortfalls(&self) -> Vec<String> {
        let parts = [
            ("train", self.reference.train_accuracy, &self.train_accuracy),
            ("test", self.reference.test_accuracy, &self.test_accuracy),
        ];
        let short = parts.into_iter().filter_map(|(part, known, ours)| {
            // A little more than the tolerance, against rounding.
            let missing = known? - ours.median;
            (missing > self.reference.tolerance + 1e-9)
                .then(|| format!("{part} is {:.1} points below the course", 100.0 * missing))
        });
        if self.stand_in { Vec::new() } else { short.collect() }
    }

    fn numbers(&self) -> String {
        let known = |share: Option<f64>| share.map_or("-".to_owned(), percent);
        format!(
            "{:>5} {:>5}  {:>6}  {:<10}  {:>6}  {:<10}  {:>7.1} {}",
            known(self.reference.train_accuracy),
            known(self.reference.test_accuracy),
            percent(self.train_accuracy.median),
            self.train_accuracy.range(),
            percent(self.test_accuracy.median),
            self.test_accuracy.range(),
            self.seconds.median,
            self.mark()
        )
    }

    fn mark(&self) -> &'static str {
        match () {
            () if !self.failed.is_empty() || !self.short.is_empty() => "!",
            () if self.stand_in => "~",
            () => "",
        }
    }

    fn remark(&self) -> String {
        let stand_in = self.stand_in.then(|| "drawn data, not compared".to_owned());
        let tolerance = (!self.short.is_empty())
            .then(|| format!("{:.1} allowed", 100.0 * self.reference.tolerance));
        let remarks = self.failed.iter().chain(&self.short).cloned().chain(tolerance);
        remarks.chain(stand_in).collect::<Vec<_>>().join("; ").replace('\n', " ")
    }
}

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut all: Vec<f64> = values.into_iter().collect();
        all.sort_by(f64::total_cmp);
        let middle = all.len() / 2;
        let median = match all.len() {
            0 => f64::NAN,
            count if count.is_multiple_of(2) => (all[middle - 1] + all[middle]) / 2.0,
            _ => all[middle],
        };
        Self { all, median }
    }
}

impl Spread {
    /// The lowest and the highest, in percent.
    fn range(&self) -> String {
        match (self.all.first(), self.all.last()) {
            (Some(&lowest), Some(&highest)) => format!("{}-{}", percent(lowest), percent(highest)),
            _ => "-".to_owned(),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
