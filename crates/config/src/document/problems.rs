//! Unknown keys and values of a wrong type, by the schema of a config: serde stops at the first.

use serde_json::Value;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::{Document, spans};
use crate::check::{Check, inner, items_of};
use crate::diagnostics::Diagnostic;
use crate::error::ConfigError;
use crate::hint::{self, canonical};
use crate::manual::{Manual, kind_of, only_property, variants};

/// Largest number of problems that are collected.
const MAX_PROBLEMS: usize = 20;

/// Largest number of keys that are suggested for an unknown one.
const MAX_SUGGESTIONS: usize = 3;

/// Collects the problems of a document.
struct Search<'a> {
    document: &'a Document,
    manual: Manual,
    found: Vec<Diagnostic>,
}

impl Document {
    /// Adds to `error`, of deserialisation, all other unknown keys and values of a wrong type, and
    /// describes the unknown ones better than serde.
    pub(super) fn with_problems(&self, error: ConfigError, schema: &Value) -> ConfigError {
        let ConfigError::Invalid(mut diagnostics) = error else { return error };
        let (manual, table) = (Manual::of(schema), self.expanded(schema).unwrap_or_default());
        let mut search = Search { document: self, manual, found: Vec::new() };
        search.table(schema, &table, "");
        let items = &mut diagnostics.items;
        for problem in search.found.into_iter().chain(self.out_of_range(schema)) {
            match items.iter_mut().find(|one| self.are_same(one, &problem)) {
                Some(one) if unknown_name(&problem.message).is_some() => {
                    one.message = problem.message;
                }
                Some(_) => {}
                None => items.push(problem),
            }
        }
        items.sort_by_key(|item| item.span.start);
        diagnostics.into()
    }

    /// The numbers outside of the range in their schema.
    fn out_of_range(&self, schema: &Value) -> Vec<Diagnostic> {
        let table = self.expanded(schema).and_then(|table| self.deserialize_table::<Table>(table));
        let mut check = Check::default();
        table.map_or_else(
            |_| Vec::new(),
            |table| {
                check.ranges(schema, &table);
                self.items(check.into_problems())
            },
        )
    }

    /// Whether both are about the same key. Serde reports some unknown tables at the start of their
    /// header.
    fn are_same(&self, one: &Diagnostic, other: &Diagnostic) -> bool {
        let line = |position| Some(self.layer(position)?.file_and_line(position));
        let name = unknown_name(&one.message);
        one.span.start == other.span.start
            || name.is_some()
                && name == unknown_name(&other.message)
                && line(one.span.start) == line(other.span.start)
    }

    /// Whether a layer has the table `key`.
    fn has_table(&self, key: &str) -> bool {
        let tables = self.layers.iter().filter_map(|layer| layer.parse().ok());
        tables
            .into_iter()
            .any(|table| spans::find(&table, key).is_some_and(|value| value.get_ref().is_table()))
    }
}

impl Search<'_> {
    fn table(&mut self, schema: &Value, table: &DeTable<'_>, prefix: &str) {
        let known = keys(schema);
        for (name, value) in table {
            let (span, name) = (name.span(), name.get_ref().as_ref());
            let key = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            match inner(schema, name) {
                _ if self.found.len() == MAX_PROBLEMS => return,
                Some(schema) => self.value(schema, value, &key),
                None if known.is_empty() => {}
                None => {
                    let what = if variants(schema).is_empty() { "key" } else { "choice" };
                    let is_table = value.get_ref().is_table();
                    let message = self.unknown(what, name, &known, (prefix, is_table));
                    self.found.push(self.document.diagnostic(Some(span), None, message));
                }
            }
        }
    }

    fn value(&mut self, schema: &Value, value: &Spanned<DeValue<'_>>, key: &str) {
        match value.get_ref() {
            _ if !is_of_type(schema, value.get_ref()) => {
                let message = expectation(schema, value.get_ref());
                let item = self.document.diagnostic(Some(value.span()), Some(key.into()), message);
                self.found.push(item);
            }
            DeValue::Table(table) => self.table(schema, table, key),
            DeValue::Array(items) => {
                let Some(schema) = items_of(schema) else { return };
                for (index, item) in items.iter().enumerate() {
                    if self.found.len() == MAX_PROBLEMS {
                        return;
                    }
                    // Items that are not tables have the key of their array.
                    match item.get_ref() {
                        DeValue::Table(_) => self.value(schema, item, &format!("{key}.{index}")),
                        _ => self.value(schema, item, key),
                    }
                }
            }
            _ => {}
        }
    }

    /// The message for the unknown `name`, perhaps of a table, in the table `prefix` with the `known`
    /// names.
    fn unknown(
        &self,
        what: &str,
        name: &str,
        known: &[&str],
        (prefix, is_table): (&str, bool),
    ) -> String {
        let synonym = canonical(name);
        let elsewhere = self.elsewhere(synonym, is_table);
        let is_sibling = known.contains(&synonym) || hint::nearest(name, known).is_some();
        if elsewhere.is_empty() || is_sibling && !prefix.is_empty() || known.contains(&synonym) {
            return hint::unknown(what, name, known);
        }
        format!("unknown {what} `{name}`: did you mean {}?", elsewhere.join(" or "))
    }

    /// The keys called `name` in other tables, preferably in those that the config has.
    fn elsewhere(&self, name: &str, is_table: bool) -> Vec<String> {
        let entries = self.manual.entries().iter();
        let entries = entries.filter(|entry| is_table || entry.kind != "table");
        let tables = entries.filter_map(|entry| {
            let (table, own) = entry.key.rsplit_once('.')?;
            (own == name).then_some(table)
        });
        let all: Vec<_> = tables.collect();
        let used: Vec<_> =
            all.iter().filter(|table| self.document.has_table(table)).copied().collect();
        let tables = if used.is_empty() { all } else { used };
        tables.iter().take(MAX_SUGGESTIONS).map(|table| format!("`{table}.{name}`")).collect()
    }
}

/// Returns the names of the keys of a table or of the variants of a choice.
fn keys(schema: &Value) -> Vec<&str> {
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let own = own.map(|(name, _)| name.as_str());
    own.chain(variants(schema).iter().flat_map(keys)).collect()
}

/// Whether a value has the type that `schema` describes. Keys of tables and items are not checked.
fn is_of_type(schema: &Value, value: &DeValue<'_>) -> bool {
    let variants = variants(schema);
    if !variants.is_empty() {
        return variants.iter().any(|variant| is_of_type(variant, value));
    }
    if let (Some(name), DeValue::String(text)) = (schema.get("const"), value) {
        return name == text.as_ref();
    }
    match (schema.get("type").and_then(Value::as_str), value) {
        (Some("object"), value) => value.is_table(),
        (Some("integer"), value) => matches!(value, DeValue::Integer(_)),
        (Some("number"), value) => matches!(value, DeValue::Integer(_) | DeValue::Float(_)),
        (Some("boolean"), value) => matches!(value, DeValue::Boolean(_)),
        (Some("string"), value) => matches!(value, DeValue::String(_)),
        (Some("array"), value) => matches!(value, DeValue::Array(_)),
        _ => true,
    }
}

fn expectation(schema: &Value, value: &DeValue<'_>) -> String {
    let names = variants(schema).iter().filter_map(|variant| {
        let name = variant.get("const").and_then(Value::as_str);
        name.or_else(|| only_property(variant).next().map(|(name, _)| name.as_str()))
    });
    let names: Vec<_> = names.collect();
    match value {
        DeValue::String(name) if !names.is_empty() => hint::unknown("choice", name, &names),
        value => {
            let kind = kind_of(schema);
            let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
            format!("expected {article} {kind}, found {}", value.type_str())
        }
    }
}

/// Returns the name in the message of [`hint::unknown`].
fn unknown_name(message: &str) -> Option<&str> {
    message.strip_prefix("unknown ")?.split('`').nth(1)
}
