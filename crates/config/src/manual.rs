//! Documentation of the keys of a config.

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::hint::{self, canonical};
use crate::range::Range;

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

    /// Returns a page with one table of keys for each table of the config.
    pub fn markdown(&self) -> String {
        let mut page = self.table("");
        for entry in self.entries().iter().filter(|entry| self.has_below(entry)) {
            page += &format!("\n## {}\n\n{}\n\n", entry.key, entry.description);
            if !entry.details.is_empty() {
                page += &format!("{}\n\n", entry.details);
            }
            let choices = entry.choices.iter().map(|choice| format!("- {}\n", describe(choice)));
            let choices: String = choices.collect();
            page += &if choices.is_empty() { choices } else { choices + "\n" };
            page += &self.table(&entry.key);
        }
        page
    }

    fn table(&self, key: &str) -> String {
        let head = "| Key | Type | Default | |\n| --- | --- | --- | --- |\n".to_owned();
        self.below(key).fold(head, |table, entry| table + &self.row(entry))
    }

    fn row(&self, entry: &Entry) -> String {
        let default = match &entry.default {
            Some(default) => format!("`{default}`"),
            None if entry.required => "required".to_owned(),
            None => String::new(),
        };
        // The choices of a key with its own section are listed there.
        let choices = entry.choices.iter().filter(|_| !self.has_below(entry));
        let choices: String = choices.map(|choice| format!("<br>{}", describe(choice))).collect();
        let text = entry.description.clone() + &choices;
        let cells = [format!("`{}`", entry.name()), entry.kind.clone(), default, text];
        format!("| {} |\n", cells.map(|cell| escaped(&cell)).join(" | "))
    }

    fn has_below(&self, entry: &Entry) -> bool {
        self.below(&entry.key).next().is_some()
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
            kind: kind_of(schema),
            default: default.map(Value::to_string),
            required,
            choices: choices(schema),
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
    for variant in variants(schema.get("items").unwrap_or(schema)) {
        push_variant(key, variant, entries);
    }
}

/// Pushes the only key of a variant that is a table, with the description of the variant.
fn push_variant(key: &str, variant: &Value, entries: &mut Vec<Entry>) {
    for (name, inner) in only_property(variant) {
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

/// Returns the type of `schema`: `integer`, `string, or single-key table`.
pub(crate) fn kind_of(schema: &Value) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for variant in variants(schema) {
        let is_table = only_property(variant).next().is_some();
        let kind = if is_table { "single-key table".to_owned() } else { kind_of(variant) };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() { simple(schema) } else { kinds.join(", or ") }
}

/// Returns the alternatives of `schema`, or of the items of its array, that are not tables.
fn choices(schema: &Value) -> Vec<Choice> {
    let variants = variants(schema.get("items").unwrap_or(schema)).iter();
    let is_named = |variant: &&Value| variant.get("const").or(variant.get("description")).is_some();
    let plain = variants.filter(|variant| only_property(variant).next().is_none()).filter(is_named);
    let choice = |variant: &Value| {
        let name = variant.get("const").map_or_else(|| kind_of(variant), Value::to_string);
        Choice { name, description: description(variant) }
    };
    plain.map(choice).collect()
}

/// Returns the alternatives of `schema`, if it has any.
pub(crate) fn variants(schema: &Value) -> &[Value] {
    let variants = ["oneOf", "anyOf"].iter().find_map(|name| schema.get(name)?.as_array());
    variants.map_or(&[], Vec::as_slice)
}

/// Returns name and schema of the only key of a variant that is a table.
pub(crate) fn only_property(variant: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = variant.get("properties").and_then(Value::as_object);
    properties.filter(|properties| properties.len() == 1).into_iter().flatten()
}

fn simple(schema: &Value) -> String {
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("object") => "table",
        Some("integer") => "integer",
        Some("number") => "number",
        Some("boolean") => "boolean",
        Some("string") => "string",
        Some("array") => return array(schema),
        _ => "any value",
    };
    Range::of(schema).map_or(kind.to_owned(), |range| format!("{kind}, {range}"))
}

fn array(schema: &Value) -> String {
    let items = schema.get("items").unwrap_or(&Value::Null);
    let range = Range::of(items).map_or(String::new(), |range| format!(", {range}"));
    let item = kind_of(items);
    let items = match item.strip_suffix(&range) {
        Some(item @ ("number" | "integer" | "string")) => format!("{item}s"),
        _ => "choices".to_owned(),
    };
    let each = range.replace(", ", ", each ");
    match (schema.get("minItems"), schema.get("maxItems")) {
        (Some(least), Some(most)) if least == most => format!("array of {least} {items}{each}"),
        _ => format!("array of {items}{each}"),
    }
}

fn describe(choice: &Choice) -> String {
    format!("`{}`: {}", choice.name, choice.description)
}

/// Escapes `cell` for a table.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace('\n', " ")
}
