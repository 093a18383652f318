//! Every key of a config, and what can be done to it.

use toml::{Table, Value};

/// The path of a key within its tables.
pub type Key = Vec<String>;

/// Values in TOML, most of which can be meant of no key: other types, and the ends of each.
pub const VALUES: [&str; 64] = [
    // Other types.
    "\"x\"",
    "''",
    "1",
    "1.5",
    "true",
    "false",
    "1979-05-27",
    "07:32:00",
    "1979-05-27T07:32:00Z",
    "[]",
    "[1]",
    "[0.5]",
    "[[]]",
    "[\"x\"]",
    "[{}]",
    "{}",
    "{ x = 1 }",
    "{ constant = {} }",
    // Negative, zero, small.
    "-1",
    "-1.5",
    "-9223372036854775808",
    "0",
    "0.0",
    "-0.0",
    "1e-300",
    "5e-324",
    "[0]",
    "[-1]",
    "[0, 0]",
    "[-0.5, 0.5]",
    // The largest.
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "3.5e38",
    "1e308",
    "1e309",
    "0xffffffffffffffff",
    "[9223372036854775807]",
    "[1e308, 1e308]",
    "[65536, 65536]",
    "[65537]",
    // No numbers at all.
    "nan",
    "-nan",
    "inf",
    "-inf",
    "[nan]",
    "[inf, nan]",
    // Strings that lead elsewhere, or are shown badly.
    "\"../../../../../../etc/passwd\"",
    "\"/dev/zero\"",
    "\"/proc/self/mem\"",
    "\"..\"",
    "\"a/../../b\"",
    "\"\\u0000\"",
    "\"a\\nb\\u001b[2J\\u202e\"",
    "\"/\"",
    "\"~/$HOME/%s\"",
    "\"C:\\\\..\\\\NUL\"",
    "\"flex:99999999999999999999\"",
    "\"numpy\"",
    "\"/dev/stdin\"",
];

/// A change of one key, as the text of a whole config.
pub struct Mutant {
    /// What was done to which key.
    pub name: String,
    /// The config.
    pub text: String,
}

/// Stands for a value that no table of TOML can hold, until it is written as text.
const HOLE: &str = "HOLE-IN-THE-CONFIG";

/// The keys of all values and tables in `table`.
pub fn keys(table: &Table) -> Vec<Key> {
    let below = |(name, value): (&String, &Value)| {
        let inner = inner(value).into_iter().map(|key| [vec![name.clone()], key].concat());
        [vec![name.clone()]].into_iter().chain(inner).collect::<Vec<_>>()
    };
    table.iter().flat_map(below).collect()
}

/// The keys within `value`: of a table, or of the tables of an array, after their places.
fn inner(value: &Value) -> Vec<Key> {
    match value {
        Value::Table(table) => keys(table),
        Value::Array(items) => {
            let tables = items.iter().enumerate();
            let tables = tables.filter_map(|(index, item)| Some((index, item.as_table()?)));
            let of = |(index, table): (usize, &Table)| {
                keys(table).into_iter().map(move |key| [vec![index.to_string()], key].concat())
            };
            tables.flat_map(of).collect()
        }
        _ => Vec::new(),
    }
}

/// Everything that is done to `key` in `table`, with the further `values` in TOML.
pub fn mutants<'a>(
    table: &'a Table,
    key: &'a Key,
    values: &'a [String],
) -> impl Iterator<Item = Mutant> + 'a {
    let named = |what: &str, text| Mutant { name: format!("{} {what}", key.join(".")), text };
    let missing = with(table, key, |table, name| drop(table.remove(name)));
    let beside = unknown_beside(table, key);
    let all = VALUES.into_iter().map(String::from).chain(values.iter().cloned());
    let replaced = all.map(move |value| {
        let short: String = value.chars().take(40).collect();
        named(&format!("= {short}"), replaced(table, key, &value))
    });
    [named("missing", missing), named("with an unknown key beside it", beside)]
        .into_iter()
        .chain(replaced)
}

/// The text of `table` with `value`, as TOML, at `key`.
pub fn replaced(table: &Table, key: &Key, value: &str) -> String {
    let hole = with(table, key, |table, name| drop(table.insert(name.into(), HOLE.into())));
    hole.replacen(&format!("\"{HOLE}\""), value, 1)
}

/// The text of `table` with a key beside `key` that means nothing.
pub fn unknown_beside(table: &Table, key: &Key) -> String {
    with(table, key, |table, _| drop(table.insert("\u{2603}".into(), 1.into())))
}

/// The choices and the bounds that an error `message` names, the latter with their neighbours.
pub fn named_in(message: &str) -> Vec<String> {
    let choices = message.split_once("known here are").map_or("", |(_, choices)| choices);
    let choices = choices.split('`').skip(1).step_by(2).map(|choice| format!("{choice:?}"));
    let numbers = message.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let numbers = numbers.filter(|number| *number < 1 << 62);
    choices.chain(numbers.flat_map(|number| [number, number + 1].map(|n| n.to_string()))).collect()
}

/// Values too long for any key, but short enough for a config.
pub fn huge() -> [String; 4] {
    [
        format!("\"{}\"", "k".repeat(60_000)),
        format!("\"{}\"", "\u{2603}".repeat(15_000)),
        format!("[{}]", "1, ".repeat(15_000)),
        format!("[{}]", "0.5, ".repeat(10_000)),
    ]
}

/// The text of `table` after `change` of the table that holds `key`.
fn with(table: &Table, key: &Key, change: impl FnOnce(&mut Table, &str)) -> String {
    let mut changed = Value::Table(table.clone());
    if let Some((name, path)) = key.split_last() {
        let holder = path.iter().try_fold(&mut changed, |value, name| match value {
            Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
            value => value.get_mut(name.as_str()),
        });
        if let Some(Value::Table(holder)) = holder {
            change(holder, name);
        }
    }
    changed.as_table().map(Table::to_string).unwrap_or_default()
}
