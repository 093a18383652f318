//! A config as a list of keys, each with its dotted path.

use std::collections::BTreeMap;

use toml::Value;

use crate::config::RunConfig;
use crate::error::RunError;

/// Values by their dotted paths.
pub type Keys = BTreeMap<String, Value>;

/// Every key of `config`.
pub fn keys(config: &RunConfig) -> Result<Keys, RunError> {
    let table =
        toml::Table::try_from(config).map_err(|error| RunError::Record(error.to_string()))?;
    let mut keys = Keys::new();
    flatten("", table, &mut keys);
    Ok(keys)
}

/// The keys that are not the same in all, in their order.
pub fn differing(all: &[Keys]) -> Vec<String> {
    let mut names: Vec<_> = all.iter().flat_map(Keys::keys).collect();
    names.sort_unstable();
    names.dedup();
    let first = |key: &String| all.first().and_then(|keys| keys.get(key));
    let differ = |key: &&String| all.iter().any(|keys| keys.get(*key) != first(key));
    names.into_iter().filter(differ).cloned().collect()
}

fn flatten(prefix: &str, table: toml::Table, keys: &mut Keys) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(table) if !table.is_empty() => flatten(&key, table, keys),
            value => drop(keys.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_without_settings_is_a_key_too() {
        let mut keys = Keys::new();
        flatten("", "[optimizer.plain]".parse().unwrap(), &mut keys);
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["optimizer.plain"]);
    }

    #[test]
    fn a_key_differs_where_any_other_has_another_value_or_none() {
        let keys = |text: &str| {
            let mut keys = Keys::new();
            flatten("", text.parse().unwrap(), &mut keys);
            keys
        };
        let all = ["a.b = 1\nc = 2\nd = 3", "a.b = 1\nc = 2\nd = 4", "a.b = 1\nd = 3\ne = 0"];
        assert_eq!(differing(&all.map(keys)), ["c", "d", "e"]);
        assert!(differing(&[]).is_empty());
    }
}
