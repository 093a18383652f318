use std::collections::HashSet;

use serde_json::json;
use training::{Comparison, Difference, RunRecord};

use super::Place;
use super::words::{dash, epochs, percent, seconds, status};
use crate::cli::RunsCompareArgs;
use crate::commands::STAND_IN;
use crate::error::Failure;
use crate::table::{Align, Table, WIDTH, wrapped};
use crate::{print, style};

/// Shows scores beside each other, and in what the runs differ.
pub fn compare(place: &Place, args: &RunsCompareArgs) -> Result<(), Failure> {
    let records = args.runs_to_compare.iter().map(|run| place.read(run));
    let records: Vec<_> = records.collect::<Result<_, _>>()?;
    let comparison = Comparison::of(&records)?;
    if args.json {
        let Comparison { config, environment } = &comparison;
        let all = json!({ "runs": records, "config": config, "environment": environment });
        return print::result(&format!("{all:#}"));
    }
    print::result(&text(&records, &comparison))
}

fn text(records: &[RunRecord], comparison: &Comparison) -> String {
    let names = names(records);
    let columns = in_columns(&names, records, comparison);
    let mut text =
        if columns.fits() { columns.text() } else { in_rows(&names, records, comparison) };
    if comparison.config.is_empty() {
        text += "\n\nthe configs are equal";
    }
    if !comparison.is_of_equal_data() {
        text = text + "\n\n" + &style::doubtful("the data differ: the scores do not compare");
    }
    if records.iter().any(|record| record.stand_in) {
        text = text + "\n\n" + &style::doubtful(STAND_IN);
    }
    text
}

/// What to call each run: its path where two have the same name.
fn names(records: &[RunRecord]) -> Vec<String> {
    let names: Vec<_> = records.iter().map(|record| record.run.clone()).collect();
    match names.iter().collect::<HashSet<_>>().len() == names.len() {
        true => names,
        false => records.iter().map(|record| record.path.display().to_string()).collect(),
    }
}

/// One column a run.
fn in_columns(names: &[String], records: &[RunRecord], comparison: &Comparison) -> Table {
    let heads = names.iter().map(|name| (name.as_str(), Align::Right));
    let mut table = Table::new([("", Align::Left)].into_iter().chain(heads), 0);
    for (name, value) in SCORES {
        table.row([name.to_owned()].into_iter().chain(records.iter().map(value)));
    }
    if differences(comparison).next().is_some() {
        table.row(vec![String::new(); 1 + names.len()]);
    }
    for Difference { key, values } in differences(comparison) {
        table.row([key.clone()].into_iter().chain(values.iter().map(shown)));
    }
    table
}

/// One row a run: of the scores, and then of each key.
fn in_rows(names: &[String], records: &[RunRecord], comparison: &Comparison) -> String {
    let heads = SCORES.map(|(name, _)| (name, Align::Right));
    let mut table = Table::new([("run", Align::Left)].into_iter().chain(heads), 0);
    for (name, record) in names.iter().zip(records) {
        table.row([name.clone()].into_iter().chain(SCORES.map(|(_, value)| value(record))));
    }
    let mut lines = vec![table.text()];
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for Difference { key, values } in differences(comparison) {
        lines.push(format!("\n{key}"));
        let values = names.iter().zip(values);
        lines.extend(values.flat_map(|(name, value)| entry(name, width, &shown(value))));
    }
    lines.join("\n")
}

/// The value of one run, in lines that fit.
fn entry(name: &str, width: usize, value: &str) -> Vec<String> {
    let pieces = wrapped(value, " ", WIDTH.saturating_sub(width + 4)).into_iter().enumerate();
    let line = |(number, piece): (usize, String)| {
        let name = if number == 0 { name } else { "" };
        format!("  {name:<width$}  {piece}")
    };
    pieces.map(line).collect()
}

fn differences(comparison: &Comparison) -> impl Iterator<Item = &Difference> {
    comparison.config.iter().chain(&comparison.environment)
}

/// A value without the quotes of TOML.
fn shown(value: &Option<toml::Value>) -> String {
    match value {
        None => dash(),
        Some(toml::Value::String(text)) => text.clone(),
        // 2e-7 rather than 0.0000002.
        Some(toml::Value::Float(number)) => format!("{number:?}"),
        Some(value) => value.to_string(),
    }
}

type Score = (&'static str, fn(&RunRecord) -> String);

/// What is shown of each run, whether it differs or not.
const SCORES: [Score; 6] = [
    ("status", |record| status(record.status)),
    ("test %", |record| percent(record.test_accuracy)),
    ("valid. %", |record| percent(record.validation_accuracy)),
    ("train %", |record| percent(record.train_accuracy)),
    ("epochs", epochs),
    ("seconds", |record| seconds(record.seconds)),
];
