use std::fmt::{self, Display};
use std::path::Path;

use artifacts::{Summary, write_file, write_json};
use serde::Serialize;
use training::ReferenceConfig;

use super::experiments::ReferenceExperiment;
use super::runs::JobResult;
use crate::error::Failure;
use crate::style;
use crate::table::{WIDTH, wrapped};
use crate::text::{pad_end, percent};

/// Scores of all experiments next to their references.
#[derive(Debug, Serialize)]
pub struct ReferenceTable {
    rows: Vec<ExperimentRow>,
}

/// Scores of one experiment.
#[derive(Debug, Serialize)]
struct ExperimentRow {
    experiment: String,
    reference: ReferenceConfig,
    /// Whether any run used synthetic data, whose scores are not comparable.
    synthetic: bool,
    train_accuracy: Spread,
    test_accuracy: Spread,
    /// Relative difference of the gradients from centred differences, if that is the reference.
    gradient_difference: Spread,
    /// The same with an injected bug.
    injected_bug_difference: Spread,
    seconds: Spread,
    /// Message of each failed run.
    failed: Vec<String>,
    /// Scores below the reference by more than its tolerance.
    below_reference: Vec<String>,
}

/// Minimum difference that reveals an injected bug, as in the exercise.
const DETECTED: f64 = 1e-2;

impl ReferenceTable {
    /// Table of `experiments` and the results of their runs, by the index of the experiment.
    pub fn new(experiments: &[ReferenceExperiment], results: &[(usize, JobResult)]) -> Self {
        let mut rows = Vec::new();
        for (index, experiment) in experiments.iter().enumerate() {
            let runs = results.iter().filter(|(of, _)| *of == index).map(|(_, result)| result);
            rows.push(ExperimentRow::new(experiment, &runs.collect::<Vec<_>>()));
        }
        Self { rows }
    }

    /// Whether no run failed and no score is below its reference.
    pub fn is_reproduced(&self) -> bool {
        self.rows.iter().all(|row| row.failed.is_empty() && row.below_reference.is_empty())
    }

    /// Saves the table as Markdown and as JSON.
    pub fn save(&self, directory: &Path) -> Result<(), Failure> {
        write_file(&directory.join("table.md"), self.markdown().as_bytes())?;
        Ok(write_json(&directory.join("table.json"), self)?)
    }

    fn markdown(&self) -> String {
        let mut text = String::from(
            "| experiment | reference, train / test % | train %: median (range) | test %: median (range) | seconds | |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            let cells = row.cells();
            text += &format!("| {} | {} |\n", row.experiment, cells.join(" | "));
        }
        text
    }
}

impl Display for ReferenceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            self.rows.iter().map(|row| style::width(&row.experiment)).max().unwrap_or(0).max(10);
        let head = [
            "reference %  train %             test %",
            "train  test  median  range       median  range       seconds",
        ];
        writeln!(f, "\n{:<width$}  {}\n{:<width$}  {}", "", head[0], "experiment", head[1])?;
        for row in &self.rows {
            let (name, numbers) = (pad_end(&row.experiment, width), row.numbers());
            let line = format!("{name}  {numbers} {}", row.coloured_mark());
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

impl ExperimentRow {
    fn new(experiment: &ReferenceExperiment, results: &[&JobResult]) -> Self {
        let (mut finished, mut differences, mut failed) =
            (Vec::<&Summary>::new(), Vec::new(), Vec::new());
        for result in results {
            match result {
                JobResult::Finished(summary) => finished.push(summary),
                JobResult::GradientsChecked { difference, with_bug } => {
                    differences.push((*difference, *with_bug));
                }
                JobResult::Failed(message) => failed.push(message.clone()),
            }
        }
        let mut row = Self {
            experiment: experiment.name().to_owned(),
            reference: experiment.reference.clone(),
            synthetic: finished.iter().any(|summary| summary.synthetic),
            train_accuracy: finished.iter().map(|summary| summary.train_accuracy).collect(),
            test_accuracy: finished.iter().filter_map(|summary| summary.test_accuracy).collect(),
            gradient_difference: differences.iter().map(|(difference, _)| *difference).collect(),
            injected_bug_difference: differences.iter().map(|(_, with_bug)| *with_bug).collect(),
            seconds: finished.iter().map(|summary| summary.seconds).collect(),
            failed,
            below_reference: Vec::new(),
        };
        row.below_reference = row.below_reference();
        row
    }

    fn below_reference(&self) -> Vec<String> {
        let allowed = 100.0 * self.reference.tolerance;
        let splits = [
            ("train", self.reference.train_accuracy, &self.train_accuracy),
            ("test", self.reference.test_accuracy, &self.test_accuracy),
        ];
        let mut below = Vec::new();
        for (split, reference, accuracy) in splits {
            let Some(reference) = reference.filter(|_| !self.synthetic) else { continue };
            let missing = 100.0 * (reference - accuracy.median);
            // The margin allows for rounding.
            if missing > allowed + 1e-6 {
                below.push(format!(
                    "{split} accuracy is {missing:.1} points below the reference, {allowed:.1} allowed"
                ));
            }
        }
        if let Some(allowed) = self.reference.gradient_difference {
            if self.gradient_difference.all.last().is_some_and(|highest| *highest >= allowed) {
                below.push(format!("gradients differ by more than {allowed:e}"));
            }
            if self.injected_bug_difference.all.first().is_some_and(|lowest| *lowest <= DETECTED) {
                below.push("an injected bug was not detected".to_owned());
            }
        }
        below
    }

    /// All cells except for the name.
    fn cells(&self) -> [String; 5] {
        if let Some(allowed) = self.reference.gradient_difference {
            return [
                format!("gradient difference below {allowed:e}"),
                format!("{:.1e}", self.gradient_difference.median),
                format!("{:.1e} with an injected bug", self.injected_bug_difference.median),
                "-".to_owned(),
                self.remark(),
            ];
        }
        let [train, test] = [self.reference.train_accuracy, self.reference.test_accuracy];
        let median_and_range = |it: &Spread| format!("{} ({})", it.median(), it.range());
        [
            format!("{} / {}", percent(train), percent(test)),
            median_and_range(&self.train_accuracy),
            median_and_range(&self.test_accuracy),
            format!("{:.1}", self.seconds.median),
            self.remark(),
        ]
    }

    /// The cells for the terminal, in columns.
    fn numbers(&self) -> String {
        if self.reference.gradient_difference.is_some() {
            let [reference, difference, with_bug, ..] = self.cells();
            return format!("{reference}: {difference}, {with_bug}");
        }
        format!(
            "{:>5} {:>5}  {:>6}  {:<10}  {:>6}  {:<10}  {:>7.1}",
            percent(self.reference.train_accuracy),
            percent(self.reference.test_accuracy),
            percent(Some(self.train_accuracy.median)),
            self.train_accuracy.range(),
            self.test_accuracy.median(),
            self.test_accuracy.range(),
            self.seconds.median,
        )
    }

    fn coloured_mark(&self) -> String {
        if !self.failed.is_empty() || !self.below_reference.is_empty() {
            style::bad("!")
        } else if self.synthetic {
            style::doubtful("~")
        } else {
            String::new()
        }
    }

    fn remark(&self) -> String {
        let synthetic = self.synthetic.then(|| "synthetic data, not compared".to_owned());
        let remarks = self.failed.iter().chain(&self.below_reference).cloned().chain(synthetic);
        remarks.collect::<Vec<_>>().join("; ").replace('\n', " ")
    }
}

/// Distribution of a number over the seeds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Spread {
    /// All values, ascending.
    all: Vec<f64>,
    /// Median; NaN without values.
    median: f64,
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
    fn range(&self) -> String {
        let ends = self.all.first().zip(self.all.last());
        ends.map_or("-".to_owned(), |(lowest, highest)| {
            format!("{}-{}", percent(Some(*lowest)), percent(Some(*highest)))
        })
    }

    /// Median in percent.
    fn median(&self) -> String {
        percent((!self.all.is_empty()).then_some(self.median))
    }
}
