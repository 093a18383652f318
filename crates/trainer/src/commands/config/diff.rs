use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::read;
use crate::cli::DiffArgs;
use crate::error::Failure;
use crate::print;

/// Each key, with its value in one config and in the other.
type Differences = Vec<(String, [Option<Value>; 2])>;

/// How wide a line may be.
const WIDTH: usize = 80;

/// Lists the keys in which two resolved configs differ.
pub fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let (one, _) = read(&args.one, &[])?;
    let (other, _) = read(&args.other, &[])?;
    let differences = differences(json!(one), json!(other));
    if args.json {
        let values = differences.iter();
        let values = values.map(|(key, [one, other])| (key, json!({ "one": one, "other": other })));
        return print::result(&format!("{:#}", values.collect::<Value>()));
    }
    let names = [&args.one, &args.other].map(|path| path.display().to_string());
    print::result(&match differences.is_empty() {
        true => "no differences".to_owned(),
        false => table(&differences, names),
    })
}

fn differences(one: Value, other: Value) -> Differences {
    let [mut one, mut other] = [one, other].map(|config| {
        let mut values = BTreeMap::new();
        flatten(String::new(), config, &mut values);
        values
    });
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).cloned().collect();
    let all = keys.into_iter().map(|key| {
        let values = [one.remove(&key), other.remove(&key)];
        (key, values)
    });
    all.filter(|(_, [one, other])| one != other).collect()
}

fn flatten(key: String, value: Value, values: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(table) if !table.is_empty() => table.into_iter().for_each(|(name, value)| {
            let key = if key.is_empty() { name } else { format!("{key}.{name}") };
            flatten(key, value, values);
        }),
        value => drop(values.insert(key, value)),
    }
}

fn table(differences: &Differences, names: [String; 2]) -> String {
    let keys = differences.iter().map(|(key, _)| key.chars().count());
    let key_width = keys.max().unwrap_or(0);
    let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    let rows = differences.iter().map(|(key, values)| (key.as_str(), values.each_ref().map(shown)));
    let rows: Vec<_> = [("", names)].into_iter().chain(rows).collect();
    let width = WIDTH.saturating_sub(key_width + 4) / 2;
    let widest = rows.iter().map(|(_, [one, _])| one.chars().count()).max().unwrap_or(0);
    let one_width = widest.min(width.max(12));
    let other_width = WIDTH.saturating_sub(key_width + 4 + one_width).max(12);
    let line = |(key, [one, other]): &(&str, [String; 2])| {
        let (one, other) = (cut(one, one_width), cut(other, other_width));
        format!("{key:<key_width$}  {one:<one_width$}  {other}")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `text` without its middle if it is wider than `width`.
fn cut(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let start = width.saturating_sub(2) / 2;
    let end = width.saturating_sub(2) - start;
    let (head, tail) = (text.chars().take(start), text.chars().skip(count - end));
    head.chain("..".chars()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_only_one_config_has_are_differences_too() {
        let one = json!({ "a": 1, "optimizer": { "sgd": { "rate": 0.1 } } });
        let other = json!({ "a": 1, "optimizer": { "adam": { "rate": 0.1 } } });
        let keys = differences(one, other);
        let keys: Vec<_> = keys.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["optimizer.adam.rate", "optimizer.sgd.rate"]);
    }

    #[test]
    fn long_values_and_names_are_cut_so_that_lines_fit() {
        let differences = differences(
            json!({ "model.mlp.hidden": (0..99).collect::<Vec<_>>(), "seed": 1 }),
            json!({ "model.mlp.hidden": [1], "seed": (0..99).collect::<Vec<_>>() }),
        );
        let table = table(&differences, ["a".repeat(100), "b.toml".to_owned()]);
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
        assert!(table.contains(".."), "{table}");
    }
}
