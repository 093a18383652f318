use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use training::runs::Difference;

use crate::context::Context;
use crate::error::Failure;
use crate::print;
use crate::style::width;
use crate::table::WIDTH;
use crate::text::{self, cut, escaped, pad_end};

/// Minimum width of a column of values.
const MIN_WIDTH: usize = 12;

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// TOML file of the first experiment
    #[arg(value_name = "ONE")]
    one: PathBuf,
    /// TOML file of the second experiment
    #[arg(value_name = "OTHER")]
    other: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn diff(args: &DiffArgs, context: &Context) -> Result<(), Failure> {
    let one = context.read_config(&args.one, &[])?;
    let other = context.read_config(&args.other, &[])?;
    let differences = Difference::between(&[&one, &other])?;
    let pairs: Value = differences.iter().map(pair).collect();
    print::json_or_text(args.json, &pairs, || {
        if differences.is_empty() {
            return "no differences".to_owned();
        }
        table(&differences, [&args.one, &args.other].map(|path| text::path(path)))
    })
}

/// A key with its values in both configs.
fn pair(difference: &Difference) -> (String, Value) {
    let value = |index: usize| difference.values.get(index);
    (difference.key.clone(), json!({ "one": value(0), "other": value(1) }))
}

fn table(differences: &[Difference], names: [String; 2]) -> String {
    let rows = differences.iter().map(|difference| {
        (difference.key.as_str(), [0, 1].map(|config| shown(difference.values.get(config))))
    });
    let rows: Vec<_> = [("", names)].into_iter().chain(rows).collect();
    let key_width = rows.iter().map(|(key, _)| width(key)).max().unwrap_or(0);
    let room = WIDTH.saturating_sub(key_width + 4);
    let widest = rows.iter().map(|(_, [one, _])| width(one)).max().unwrap_or(0);
    let one_width = widest.min((room / 2).max(MIN_WIDTH));
    let other_width = room.saturating_sub(one_width).max(MIN_WIDTH);
    let lines = rows.iter().map(|(key, [one, other])| {
        let (key, one) = (pad_end(key, key_width), pad_end(&cut(one, one_width), one_width));
        format!("{key}  {one}  {}", cut(other, other_width))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A value as JSON, or a dash if the config does not have the key.
fn shown(value: Option<&Option<toml::Value>>) -> String {
    value.cloned().flatten().map_or("-".to_owned(), |value| escaped(&json!(value).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_and_names_are_cut_to_the_width_of_a_line() {
        let long = toml::Value::from((0..99).collect::<Vec<i32>>());
        let short = toml::Value::from(1);
        let difference = |key: &str, values: [&toml::Value; 2]| Difference {
            key: key.to_owned(),
            values: values.map(|value| Some(value.clone())).to_vec(),
        };
        let differences =
            [difference("model.mlp.hidden", [&long, &short]), difference("seed", [&short, &long])];
        let table = table(&differences, ["a".repeat(100), "b.toml".to_owned()]);
        assert!(table.lines().all(|line| width(line) <= WIDTH), "{table}");
        assert!(table.contains(".."), "{table}");
    }
}
