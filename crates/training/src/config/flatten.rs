//! A config as a list of dotted keys.

use std::collections::BTreeMap;

use toml::Value;

use super::RunConfig;
use crate::error::RunError;

/// Values by their dotted keys.
pub type FlatConfig = BTreeMap<String, Value>;

/// All keys of `config`.
pub fn flatten(config: &RunConfig) -> Result<FlatConfig, RunError> {
    let table =
        toml::Table::try_from(config).map_err(|error| RunError::Record(error.to_string()))?;
    let mut keys = FlatConfig::new();
    insert("", table, &mut keys);
    Ok(keys)
}

/// The keys whose values are not equal in `all`, sorted.
pub fn differing_keys(all: &[FlatConfig]) -> Vec<String> {
    let mut names: Vec<_> = all.iter().flat_map(FlatConfig::keys).collect();
    names.sort_unstable();
    names.dedup();
    let first = |key: &String| all.first().and_then(|keys| keys.get(key));
    names.retain(|key| all.iter().any(|keys| keys.get(*key) != first(key)));
    names.into_iter().cloned().collect()
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
        assert_eq!(differing_keys(&all.map(keys)), ["c", "d", "e"]);
        assert!(differing_keys(&[]).is_empty());
    }
}
