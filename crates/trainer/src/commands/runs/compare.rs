use std::collections::HashSet;
use std::iter;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use training::runs::{Comparison, Difference, RunRecord};

use super::{RunsDirectory, epochs, seconds, status};
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::style::width;
use crate::table::{Table, WIDTH, wrapped};
use crate::text::{self, escaped, pad_end, percent};
use crate::{print, style};

#[derive(Debug, Args)]
pub struct RunsCompareArgs {
    /// Names or directories of two or more runs
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs_to_compare: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the results of runs side by side, and the differences of their configs and environments.
pub fn compare(directory: &RunsDirectory, args: &RunsCompareArgs) -> Result<(), Failure> {
    let records = args.runs_to_compare.iter().map(|run| directory.read(run));
    let records: Vec<_> = records.collect::<Result<_, _>>()?;
    let comparison = Comparison::new(&records)?;
    let Comparison { config, environment } = &comparison;
    let all = json!({ "runs": records, "config": config, "environment": environment });
    print::json_or_text(args.json, &all, || text(&records, &comparison))
}

fn text(records: &[RunRecord], comparison: &Comparison) -> String {
    let mut names: Vec<_> = records.iter().map(|record| escaped(&record.run)).collect();
    if names.iter().collect::<HashSet<_>>().len() < names.len() {
        names = records.iter().map(|record| text::path(&record.path)).collect();
    }
    let columns = in_columns(&names, records, comparison);
    let mut text =
        if columns.fits() { columns.text() } else { in_rows(&names, records, comparison) };
    if comparison.config.is_empty() {
        text += "\n\nthe configs are equal";
    }
    if !comparison.has_equal_data() {
        text = text + "\n\n" + &style::doubtful("the data differ: the scores are not comparable");
    }
    if records.iter().any(|record| record.synthetic) {
        text = text + "\n\n" + &style::doubtful(SYNTHETIC_NOTICE);
    }
    text
}

/// One column per run.
fn in_columns(names: &[String], records: &[RunRecord], comparison: &Comparison) -> Table {
    let mut table = Table::new(iter::once(&String::new()).chain(names), &[0]);
    for (name, value) in SCORES {
        table.row(iter::once(name.to_owned()).chain(records.iter().map(value)));
    }
    if differences(comparison).next().is_some() {
        table.row(vec![String::new(); 1 + names.len()]);
    }
    for Difference { key, values } in differences(comparison) {
        table.row(iter::once(key.clone()).chain(values.iter().map(shown)));
    }
    table
}

/// One row per run: first the scores, then the values of each key.
fn in_rows(names: &[String], records: &[RunRecord], comparison: &Comparison) -> String {
    let mut table = Table::new(iter::once("run").chain(SCORES.map(|(name, _)| name)), &[0]);
    for (name, record) in names.iter().zip(records) {
        table.row(iter::once(name.clone()).chain(SCORES.map(|(_, value)| value(record))));
    }
    let mut lines = vec![table.text()];
    let width = names.iter().map(|name| width(name)).max().unwrap_or(0);
    for Difference { key, values } in differences(comparison) {
        lines.push(format!("\n{key}"));
        for (name, value) in names.iter().zip(values) {
            let pieces = wrapped(&shown(value), " ", WIDTH.saturating_sub(width + 4)).into_iter();
            lines.extend(pieces.enumerate().map(|(number, piece)| {
                let name = pad_end(if number == 0 { name } else { "" }, width);
                format!("  {name}  {piece}")
            }));
        }
    }
    lines.join("\n")
}

fn differences(comparison: &Comparison) -> impl Iterator<Item = &Difference> {
    comparison.config.iter().chain(&comparison.environment)
}

/// A value without TOML quotes.
fn shown(value: &Option<toml::Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(toml::Value::String(text)) => escaped(text),
        // 2e-7 rather than 0.0000002.
        Some(toml::Value::Float(number)) => format!("{number:?}"),
        Some(value) => escaped(&value.to_string()),
    }
}

type Score = (&'static str, fn(&RunRecord) -> String);

/// Rows that are shown even if all runs agree.
const SCORES: [Score; 6] = [
    ("status", |record| status(record.status)),
    ("test %", |record| percent(record.test_accuracy)),
    ("valid. %", |record| percent(record.validation_accuracy)),
    ("train %", |record| percent(record.train_accuracy)),
    ("epochs", epochs),
    ("seconds", |record| seconds(record.seconds)),
];
