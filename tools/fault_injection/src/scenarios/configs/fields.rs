//! The keys of a config and their mutants.

use config::Manual;
use toml::{Table, Value};

/// Path of a key: names of tables and indices into arrays.
pub type Key = Vec<String>;

/// Values in TOML, invalid for most keys: of other types; negative, zero and small; large; not
/// finite; paths of other files and strings with special characters.
const VALUES: [&str; 5] = [
    r#""x" '' 1 1.5 true false 1979-05-27 07:32:00 1979-05-27T07:32:00Z [] [1] [0.5] [[]] ["x"] [{}]
       {} {x=1} {constant={}}"#,
    "-1 -1.5 -9223372036854775808 0 0.0 -0.0 1e-300 5e-324 [0] [-1] [0,0] [-0.5,0.5]",
    "9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 2147483648
     4294967296 9007199254740993 3.5e38 1e308 1e309 0xffffffffffffffff [9223372036854775807]
     [1e308,1e308] [65536,65536] [65537]",
    "nan -nan inf -inf [nan] [inf,nan]",
    r#""../../../../../../etc/passwd" "/dev/zero" "/proc/self/mem" ".." "a/../../b" "\u0000"
       "a\nb\u001b[2J\u202e" "/" "~/$HOME/%s" "C:\\..\\NUL" "flex:99999999999999999999" "numpy"
       "/dev/stdin""#,
];

pub fn values() -> impl Iterator<Item = &'static str> {
    VALUES.into_iter().flat_map(str::split_whitespace)
}

/// A config with one key changed.
pub struct Mutant {
    pub name: String,
    pub text: String,
}

/// Placeholder in a table for a value that is inserted as text.
const PLACEHOLDER: &str = "VALUE-OF-THE-MUTANT";

/// Keys of all values and tables in `table`; those within arrays of tables after their indices.
pub fn keys(table: &Table) -> Vec<Key> {
    let mut keys = Vec::new();
    push_below(&[], &Value::Table(table.clone()), &mut keys);
    keys
}

fn push_below(key: &[String], value: &Value, keys: &mut Vec<Key>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                let key = [key, std::slice::from_ref(name)].concat();
                keys.push(key.clone());
                push_below(&key, value, keys);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| item.is_table()) {
                push_below(&[key, &[index.to_string()]].concat(), item, keys);
            }
        }
        _ => {}
    }
}

/// All mutants of `key` in `table`, with further `values` in TOML.
pub fn mutants<'a>(
    table: &'a Table,
    key: &'a Key,
    values: &'a [String],
) -> impl Iterator<Item = Mutant> + 'a {
    let named = |change: &str, text| Mutant { name: format!("{} {change}", key.join(".")), text };
    let missing = with(table, key, |table, name| drop(table.remove(name)));
    let beside = with(table, key, |table, _| drop(table.insert("\u{2603}".into(), 1.into())));
    let all = self::values().map(String::from).chain(values.iter().cloned());
    let replaced = all.map(move |value| {
        let short: String = value.chars().take(40).collect();
        named(&format!("= {short}"), replaced(table, key, &value))
    });
    [named("missing", missing), named("with an unknown key beside it", beside)]
        .into_iter()
        .chain(replaced)
}

/// Text of `table` with `value`, in TOML, at `key`.
pub fn replaced(table: &Table, key: &Key, value: &str) -> String {
    let text = with(table, key, |table, name| drop(table.insert(name.into(), PLACEHOLDER.into())));
    text.replacen(&format!("\"{PLACEHOLDER}\""), value, 1)
}

/// Choices of `key` in the manual, and the keys in its table, as strings in TOML.
pub fn choices(manual: &Manual, key: &Key) -> Vec<String> {
    let key = without_indices(key).join(".");
    let words = manual.get(&key).into_iter().flat_map(|entry| &entry.choices);
    let words = words.map(|choice| choice.name.clone()).filter(|name| name.starts_with('"'));
    let keys = manual.below(&key).map(|entry| format!("{:?}", entry.name()));
    words.chain(keys).collect()
}

/// The path of `key` in the manual, which has no indices.
pub fn without_indices(key: &Key) -> Key {
    key.iter().filter(|name| name.parse::<usize>().is_err()).cloned().collect()
}

/// Whole numbers in an error message, each with its successor.
pub fn numbers_in(message: &str) -> Vec<String> {
    let numbers = message.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let numbers = numbers.filter(|number| *number < 1 << 62);
    numbers.flat_map(|number| [number, number + 1].map(|number| number.to_string())).collect()
}

/// Values that are too long for any key, but short enough for a config.
pub fn huge() -> [String; 4] {
    [
        format!("\"{}\"", "k".repeat(60_000)),
        format!("\"{}\"", "\u{2603}".repeat(15_000)),
        format!("[{}]", "1, ".repeat(15_000)),
        format!("[{}]", "0.5, ".repeat(10_000)),
    ]
}

/// Text of `table` after `change` of the table that contains `key`.
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
