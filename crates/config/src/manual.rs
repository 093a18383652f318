//! What the keys of a config mean.

mod kind;
mod markdown;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::hint;
pub(crate) use kind::variants;

/// The keys of a config as its JSON Schema tells them, without references in it.
///
/// A table that stands for one choice out of several, and a list of such tables, have a key for
/// each choice: `optimizer.adam`, `augmentation.rotate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Manual(Vec<Entry>);

/// What there is to say of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its dotted path.
    pub key: String,
    /// What it is.
    pub description: String,
    /// What else there is to say of a choice, in its own explanation.
    pub details: String,
    /// What values it takes, in words: `whole number, between 1 and 9`, `table`.
    pub kind: String,
    /// The value that it has if it is absent, as TOML; of tables, each key has its own.
    pub default: Option<String>,
    /// Whether the table that it is in needs it.
    pub required: bool,
    /// What it may be; choices that are tables have a key of their own.
    pub choices: Vec<Choice>,
}

/// One of several things that a key may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// A word in quotes, or its kind: `list of numbers`.
    pub name: String,
    /// What it means.
    pub description: String,
}

impl Manual {
    /// The manual of the config that `schema` describes.
    pub fn of(schema: &Value) -> Self {
        let mut entries = Vec::new();
        push_below("", schema, &mut entries);
        Self(entries)
    }

    /// Every key, each table before what is in it.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// What there is to say of `key`, in which places in a list, such as `augmentation.0.rotate`,
    /// are passed over.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let names = key.split('.').filter(|name| name.parse::<usize>().is_err());
        let key = names.collect::<Vec<_>>().join(".");
        self.0.iter().find(|entry| entry.key == key)
    }

    /// The keys within the table `key`, or at the top if it is empty; none that are deeper.
    pub fn below(&self, key: &str) -> impl Iterator<Item = &Entry> {
        let prefix = if key.is_empty() { String::new() } else { format!("{key}.") };
        let direct = move |entry: &&Entry| {
            entry.key.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('.'))
        };
        self.0.iter().filter(direct)
    }

    /// The keys that `key`, which is none, may be meant for: those that end with it, or the one
    /// most like it.
    pub fn meant(&self, key: &str) -> Vec<&str> {
        let ending = format!(".{key}");
        let keys = || self.0.iter().map(|entry| entry.key.as_str());
        let ends: Vec<_> = keys().filter(|known| known.ends_with(&ending)).collect();
        match ends.is_empty() {
            true => hint::nearest(key, &keys().collect::<Vec<_>>()).into_iter().collect(),
            false => ends,
        }
    }
}

impl Entry {
    /// The last part of its key.
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

/// Pushes the keys within the table, the choice or the list that `schema` describes.
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

/// Pushes the one key of a choice that is a table, with the description of the choice.
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
