//! Documentation of the keys of a config.

mod kind;
mod markdown;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::hint;
use crate::synonyms::canonical;
pub(crate) use kind::{of as kind_of, only_property, variants};

/// Documentation of all keys of a config, from its JSON Schema without references.
///
/// A table that is a choice between several variants, and an array of such tables, have a key for
/// each variant: `optimizer.adam`, `augmentation.rotate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Manual(Vec<Entry>);

/// Documentation of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Dotted path.
    pub key: String,
    /// Description of the key.
    pub description: String,
    /// Further description of a choice.
    pub details: String,
    /// Type and range: `integer, between 1 and 9`, `table`.
    pub kind: String,
    /// Default value as TOML; the keys of tables have their own.
    pub default: Option<String>,
    /// Whether its table must contain it.
    pub required: bool,
    /// Alternatives that are not tables; those that are have a key of their own.
    pub choices: Vec<Choice>,
}

/// One alternative of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// String in quotes, or a type: `array of numbers`.
    pub name: String,
    /// Meaning of the alternative.
    pub description: String,
}

impl Manual {
    /// Creates the manual of the config that `schema` describes.
    pub fn of(schema: &Value) -> Self {
        let mut entries = Vec::new();
        push_below("", schema, &mut entries);
        Self(entries)
    }

    /// Returns every key, each table before its keys.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Returns the documentation of `key`, ignoring indices of arrays: `augmentation.0.rotate`.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let names = key.split('.').filter(|name| name.parse::<usize>().is_err());
        let key = names.collect::<Vec<_>>().join(".");
        self.0.iter().find(|entry| entry.key == key)
    }

    /// Returns the keys directly within the table `key`, or at the top level if it is empty.
    pub fn below(&self, key: &str) -> impl Iterator<Item = &Entry> {
        let prefix = if key.is_empty() { String::new() } else { format!("{key}.") };
        let direct = move |entry: &&Entry| {
            entry.key.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('.'))
        };
        self.0.iter().filter(direct)
    }

    /// Returns suggestions for the unknown key `key`: the keys that end with it or with a name that
    /// it has elsewhere, or the most similar one.
    pub fn suggestions(&self, key: &str) -> Vec<&str> {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        let own = join(table, canonical(name));
        if let Some(entry) = self.get(&own) {
            return vec![&entry.key];
        }
        let ending = format!(".{own}");
        let keys = || self.0.iter().map(|entry| entry.key.as_str());
        let ends: Vec<_> = keys().filter(|known| known.ends_with(&ending)).collect();
        if !ends.is_empty() {
            return ends;
        }
        hint::nearest(key, &keys().collect::<Vec<_>>()).into_iter().collect()
    }
}

impl Entry {
    /// Returns the last part of its key.
    pub fn name(&self) -> &str {
        self.key.rsplit('.').next().unwrap_or_default()
    }

    fn new(key: String, schema: &Value, required: bool) -> Self {
        let default = schema.get("default").filter(|default| !default.is_object());
        Self {
            key,
            description: description(schema),
            details: String::new(),
            kind: kind::of(schema),
            default: default.map(Value::to_string),
            required,
            choices: kind::choices(schema),
        }
    }
}

/// Pushes the keys within the table, choice or array that `schema` describes.
fn push_below(key: &str, schema: &Value, entries: &mut Vec<Entry>) {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        push(join(key, name), inner, is_required(name), entries);
    }
    for variant in kind::variants(schema.get("items").unwrap_or(schema)) {
        push_variant(key, variant, entries);
    }
}

/// Pushes the only key of a variant that is a table, with the description of the variant.
fn push_variant(key: &str, variant: &Value, entries: &mut Vec<Entry>) {
    for (name, inner) in kind::only_property(variant) {
        let at = entries.len();
        push(join(key, name), inner, false, entries);
        if let Some(entry) = entries.get_mut(at) {
            entry.details = std::mem::replace(&mut entry.description, description(variant));
        }
    }
}

fn push(key: String, schema: &Value, required: bool, entries: &mut Vec<Entry>) {
    entries.push(Entry::new(key.clone(), schema, required));
    push_below(&key, schema, entries);
}

fn join(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
}

fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}
