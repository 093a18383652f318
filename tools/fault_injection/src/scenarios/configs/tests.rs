use std::collections::BTreeSet;

use toml::Value;

use super::*;

/// Keys of all bases as the manual has them: without indices.
fn keys_of(bases: &[Base]) -> BTreeSet<Key> {
    let keys = bases.iter().flat_map(|base| fields::keys(&base.table));
    keys.map(|key| fields::without_indices(&key)).collect()
}

/// Values of `key` in all bases, within arrays too.
fn values_of(bases: &[Base], key: &Key) -> Vec<Value> {
    let mut values: Vec<_> = bases.iter().map(|base| Value::Table(base.table.clone())).collect();
    for name in key {
        values =
            values.iter().flat_map(elements).filter_map(|value| value.get(name)).cloned().collect();
    }
    values.iter().flat_map(elements).cloned().collect()
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Whether a config with this key can be run by the program: `extends` is gone once files are merged,
/// and external data come from other programs.
fn is_runnable(key: &str) -> bool {
    key != "extends" && !key.starts_with("dataset.external")
}

#[test]
fn the_bases_together_have_every_key_of_the_manual() {
    let directory = TempDir::new().unwrap();
    let keys = keys_of(&bases::all(directory.path()).unwrap());
    let manual = Manual::of(&RunConfig::schema(&ModelRegistry::new()));
    let path = |name: &str| name.split('.').map(String::from).collect::<Key>();
    let names = manual.entries().iter().map(|entry| entry.key.as_str());
    let missing: Vec<_> =
        names.filter(|name| is_runnable(name) && !keys.contains(&path(name))).collect();
    assert!(missing.is_empty(), "no base has {missing:?}");
    assert!(keys.len() > 80, "the bases have {} keys only", keys.len());
}

#[test]
fn the_bases_together_have_every_variant_of_every_choice_with_settings() {
    let directory = TempDir::new().unwrap();
    let bases = bases::all(directory.path()).unwrap();
    let manual = Manual::of(&RunConfig::schema(&ModelRegistry::new()));
    let keys = keys_of(&bases);
    let mut tables = 0;
    for key in &keys {
        let values = values_of(&bases, key);
        if !values.iter().any(Value::is_table) {
            continue;
        }
        tables += 1;
        // Each variant is a word, or a table with a key of its own.
        for choice in fields::choices(&manual, key) {
            let name = choice.trim_matches('"');
            if !is_runnable(&[key.join("."), name.to_owned()].join(".")) {
                continue;
            }
            let is_word = values.iter().any(|value| value.as_str() == Some(name));
            let is_table = keys.contains(&[key.clone(), vec![name.to_owned()]].concat());
            assert!(is_word || is_table, "no base has {}.{name}", key.join("."));
        }
    }
    assert!(tables > 10, "only {tables} tables");
}
