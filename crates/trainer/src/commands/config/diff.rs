use serde_json::{Value, json};
use training::Difference;

use super::read;
use crate::cli::DiffArgs;
use crate::error::Failure;
use crate::print;

/// How wide a line may be.
const WIDTH: usize = 80;

/// Lists the keys in which two resolved configs differ.
pub fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let (one, _) = read(&args.one, &[])?;
    let (other, _) = read(&args.other, &[])?;
    let differences = Difference::between(&[&one, &other])?;
    if args.json {
        return print::result(&format!("{:#}", differences.iter().map(pair).collect::<Value>()));
    }
    let names = [&args.one, &args.other].map(|path| path.display().to_string());
    print::result(&match differences.is_empty() {
        true => "no differences".to_owned(),
        false => table(&differences, names),
    })
}

/// A key, with its value in one config and in the other.
fn pair(difference: &Difference) -> (String, Value) {
    let value = |index: usize| difference.values.get(index);
    (difference.key.clone(), json!({ "one": value(0), "other": value(1) }))
}

fn table(differences: &[Difference], names: [String; 2]) -> String {
    let keys = differences.iter().map(|difference| difference.key.chars().count());
    let key_width = keys.max().unwrap_or(0);
    let shown = |difference: &Difference, index: usize| match difference.values.get(index) {
        Some(Some(value)) => json!(value).to_string(),
        _ => "-".to_owned(),
    };
    let rows = differences
        .iter()
        .map(|difference| (difference.key.as_str(), [shown(difference, 0), shown(difference, 1)]));
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
    fn long_values_and_names_are_cut_so_that_lines_fit() {
        let long = toml::Value::from((0..99).collect::<Vec<i32>>());
        let short = toml::Value::from(1);
        let difference = |key: &str, values: [&toml::Value; 2]| Difference {
            key: key.to_owned(),
            values: values.map(|value| Some(value.clone())).to_vec(),
        };
        let differences =
            [difference("model.mlp.hidden", [&long, &short]), difference("seed", [&short, &long])];
        let table = table(&differences, ["a".repeat(100), "b.toml".to_owned()]);
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
        assert!(table.contains(".."), "{table}");
    }
}
