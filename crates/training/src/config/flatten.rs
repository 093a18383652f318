//! A config as a list of dotted keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use toml::Value;

use super::RunConfig;
use crate::error::RunError;

/// Values by their dotted keys.
pub type FlatConfig = BTreeMap<String, Value>;

/// A key or property with different values.
#[derive(Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Dotted key.
    pub key: String,
    /// Value in each config, in order; `None` if it is absent.
    pub values: Vec<Option<Value>>,
}

pub fn flatten(config: &RunConfig) -> Result<FlatConfig, RunError> {
    let table =
        toml::Table::try_from(config).map_err(|error| RunError::Record(error.to_string()))?;
    let mut keys = FlatConfig::new();
    insert("", table, &mut keys);
    Ok(keys)
}

/// The keys whose values are not equal in `all`, sorted.
pub fn differences(all: &[FlatConfig]) -> Vec<Difference> {
    let keys: BTreeSet<_> = all.iter().flat_map(FlatConfig::keys).collect();
    let mut differences: Vec<_> = keys
        .into_iter()
        .map(|key| Difference {
            key: key.clone(),
            values: all.iter().map(|keys| keys.get(key).cloned()).collect(),
        })
        .collect();
    differences.retain(|it| it.values.iter().any(|value| Some(value) != it.values.first()));
    differences
}

fn insert(prefix: &str, table: toml::Table, keys: &mut FlatConfig) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(table) if !table.is_empty() => insert(&key, table, keys),
            value => drop(keys.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_without_settings_is_a_key_too() {
        let mut keys = FlatConfig::new();
        insert("", "[optimizer.plain]".parse().unwrap(), &mut keys);
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["optimizer.plain"]);
    }

    #[test]
    fn keys_with_another_or_no_value_differ() {
        let keys = |text: &str| {
            let mut keys = FlatConfig::new();
            insert("", text.parse().unwrap(), &mut keys);
            keys
        };
        let all = ["a.b = 1\nc = 2\nd = 3", "a.b = 1\nc = 2\nd = 4", "a.b = 1\nd = 3\ne = 0"];
        let differences = differences(&all.map(keys));
        assert_eq!(differences.iter().map(|it| &it.key).collect::<Vec<_>>(), ["c", "d", "e"]);
        assert!(super::differences(&[]).is_empty());
    }
}
