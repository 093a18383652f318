use std::fmt::{self, Display};
use std::path::Path;

use serde::Serialize;
use training::{ReferenceConfig, Summary};

use super::experiments::Experiment;
use super::runs::Ended;
use crate::error::Failure;
use crate::style;
use crate::table::{WIDTH, wrapped};

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
    /// The relative difference of its gradients from centred differences, where that is checked.
    gradient_difference: Spread,
    /// The same with an error planted.
    planted_difference: Spread,
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

/// The difference that a planted error makes at least, in the exercise.
const PLANTED: f64 = 1e-2;

impl Table {
    /// The table of what became of the runs of `experiments`, by their index.
    pub fn new(experiments: &[Experiment], ended: &[(usize, Ended)]) -> Self {
        let row = |(index, experiment)| {
            let runs = ended.iter().filter(|(of, _)| *of == index).map(|(_, ended)| ended);
            Row::new(experiment, &runs.collect::<Vec<_>>())
        };
        Self { rows: experiments.iter().enumerate().map(row).collect() }
    }

    /// Whether every run succeeded and none is short of its reference.
    pub fn is_reproduced(&self) -> bool {
        self.rows.iter().all(|row| row.failed.is_empty() && row.short.is_empty())
    }

    /// Saves it as Markdown and as JSON.
    pub fn save(&self, directory: &Path) -> Result<(), Failure> {
        training::write_file(&directory.join("table.md"), self.markdown().as_bytes())?;
        Ok(training::write_json(&directory.join("table.json"), self)?)
    }

    fn markdown(&self) -> String {
        let mut text = String::from(
            "| experiment | course, train / test % | ours, train: median (lowest to highest) | ours, test | seconds | |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            let cells = row.cells();
            text += &format!("| {} | {} |\n", row.experiment, cells.join(" | "));
        }
        text
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.experiment.len()).max().unwrap_or(0).max(10);
        let head = [
            "   course (%)     ours, train       ours, test",
            "train  test  median  range       median  range       seconds",
        ];
        writeln!(f, "\n{:<width$}{}\n{:<width$}  {}", "", head[0], "experiment", head[1])?;
        for row in &self.rows {
            let (name, numbers) = (&row.experiment, row.numbers());
            let line = format!("{name:<width$}  {numbers} {}", row.coloured_mark());
            writeln!(f, "{}", line.trim_end())?;
        }
        for row in self.rows.iter().filter(|row| !row.remark().is_empty()) {
            let remark = format!("{}: {}", row.experiment, row.remark());
            let remark = wrapped(&remark, " ", WIDTH - 2).join("\n  ");
            writeln!(f, "{} {remark}", row.coloured_mark())?;
        }
        Ok(())
    }
}

impl Row {
    fn new(experiment: &Experiment, runs: &[&Ended]) -> Self {
        let finished = |value: fn(&Summary) -> f64| -> Spread {
            let values = runs.iter().filter_map(|run| match run {
                Ended::Finished(summary) => Some(value(summary)),
                _ => None,
            });
            values.collect()
        };
        let checked = |value: fn(f64, f64) -> f64| -> Spread {
            let values = runs.iter().filter_map(|run| match run {
                Ended::Checked { right, planted } => Some(value(*right, *planted)),
                _ => None,
            });
            values.collect()
        };
        let failed = runs.iter().filter_map(|run| match run {
            Ended::Failed(message) => Some(message.clone()),
            _ => None,
        });
        let is_drawn = |run: &Ended| matches!(run, Ended::Finished(summary) if summary.stand_in);
        let mut row = Self {
            experiment: experiment.name().to_owned(),
            reference: experiment.reference.clone(),
            stand_in: runs.iter().copied().any(is_drawn),
            train_accuracy: finished(|summary| summary.train_accuracy),
            test_accuracy: finished(|summary| summary.test_accuracy),
            gradient_difference: checked(|right, _| right),
            planted_difference: checked(|_, planted| planted),
            seconds: finished(|summary| summary.seconds),
            failed: failed.collect(),
            short: Vec::new(),
        };
        row.short = [row.missing_accuracy(), row.missed_gradients()].concat();
        row
    }

    fn missing_accuracy(&self) -> Vec<String> {
        let parts = [
            ("train", self.reference.train_accuracy, &self.train_accuracy),
            ("test", self.reference.test_accuracy, &self.test_accuracy),
        ];
        let allowed = 100.0 * self.reference.tolerance;
        let short = parts.into_iter().filter_map(|(part, known, ours)| {
            let missing = 100.0 * (known? - ours.median);
            // A little more than the tolerance, against rounding.
            (missing > allowed + 1e-6).then(|| {
                format!("{part} is {missing:.1} points below the course, {allowed:.1} allowed")
            })
        });
        if self.stand_in { Vec::new() } else { short.collect() }
    }

    fn missed_gradients(&self) -> Vec<String> {
        let Some(known) = self.reference.gradient_difference else { return Vec::new() };
        let highest = self.gradient_difference.all.last();
        let differ = highest.is_some_and(|highest| *highest >= known);
        let lowest = self.planted_difference.all.first();
        let missed = lowest.is_some_and(|lowest| *lowest <= PLANTED);
        let differ = differ.then(|| format!("gradients differ by more than {known:e}"));
        let missed = missed.then(|| "a planted error was not found".to_owned());
        differ.into_iter().chain(missed).collect()
    }

    /// What both tables show of an experiment, but for its name.
    fn cells(&self) -> [String; 5] {
        if let Some(below) = self.reference.gradient_difference {
            let [right, planted] =
                [&self.gradient_difference, &self.planted_difference].map(|spread| spread.median);
            return [
                format!("gradients below {below:e}"),
                format!("{right:.1e}"),
                format!("{planted:.1e} with a planted error"),
                "-".to_owned(),
                self.remark(),
            ];
        }
        let ours = |spread: &Spread| format!("{} ({})", percent(spread.median), spread.range());
        [
            format!(
                "{} / {}",
                known(self.reference.train_accuracy),
                known(self.reference.test_accuracy)
            ),
            ours(&self.train_accuracy),
            ours(&self.test_accuracy),
            format!("{:.1}", self.seconds.median),
            self.remark(),
        ]
    }

    /// The same for the screen.
    fn numbers(&self) -> String {
        if self.reference.gradient_difference.is_some() {
            let [bar, right, planted, ..] = self.cells();
            return format!("{bar}: {right}, {planted}");
        }
        format!(
            "{:>5} {:>5}  {:>6}  {:<10}  {:>6}  {:<10}  {:>7.1}",
            known(self.reference.train_accuracy),
            known(self.reference.test_accuracy),
            percent(self.train_accuracy.median),
            self.train_accuracy.range(),
            percent(self.test_accuracy.median),
            self.test_accuracy.range(),
            self.seconds.median,
        )
    }

    fn mark(&self) -> &'static str {
        match () {
            () if !self.failed.is_empty() || !self.short.is_empty() => "!",
            () if self.stand_in => "~",
            () => "",
        }
    }

    fn coloured_mark(&self) -> String {
        match self.mark() {
            "!" => style::bad("!"),
            mark => style::doubtful(mark),
        }
    }

    fn remark(&self) -> String {
        let stand_in = self.stand_in.then(|| "drawn data, not compared".to_owned());
        let remarks = self.failed.iter().chain(&self.short).cloned().chain(stand_in);
        remarks.collect::<Vec<_>>().join("; ").replace('\n', " ")
    }
}

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut all: Vec<f64> = values.into_iter().collect();
        all.sort_by(f64::total_cmp);
        // The same one twice where their number is odd.
        let middle = [all.len().saturating_sub(1) / 2, all.len() / 2].map(|index| all.get(index));
        let median = match middle {
            [Some(low), Some(high)] => (low + high) / 2.0,
            _ => f64::NAN,
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

fn known(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), percent)
}
