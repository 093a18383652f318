//! What values a schema takes, in words.

use serde_json::Value;

use super::{Choice, description};
use crate::range::Range;

/// What values `schema` takes: `whole number`, `word, or table of one key`.
pub fn of(schema: &Value) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for variant in variants(schema) {
        let kind = match only_property(variant).next() {
            Some(_) => "table of one key".to_owned(),
            None => of(variant),
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() { simple(schema) } else { kinds.join(", or ") }
}

/// The alternatives of `schema`, or of the items of its list, that are no tables.
pub fn choices(schema: &Value) -> Vec<Choice> {
    let variants = variants(schema.get("items").unwrap_or(schema)).iter();
    let plain = variants.filter(|variant| only_property(variant).next().is_none());
    let choice = |variant: &Value| {
        let name = variant.get("const").map_or_else(|| of(variant), Value::to_string);
        Choice { name, description: description(variant) }
    };
    plain.map(choice).collect()
}

/// The alternatives of `schema`; none if it is plain.
pub fn variants(schema: &Value) -> &[Value] {
    let variants = ["oneOf", "anyOf"].iter().find_map(|name| schema.get(name)?.as_array());
    variants.map_or(&[], Vec::as_slice)
}

/// Name and schema of the only key of a choice that is a table.
pub fn only_property(variant: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = variant.get("properties").and_then(Value::as_object);
    properties.filter(|properties| properties.len() == 1).into_iter().flatten()
}

fn simple(schema: &Value) -> String {
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("object") => "table",
        Some("integer") => "whole number",
        Some("number") => "number",
        Some("boolean") => "true or false",
        Some("string") if schema.get("const").is_some() => "word",
        Some("string") => "string",
        Some("array") => return list(schema),
        _ => "any value",
    };
    Range::of(schema).map_or(kind.to_owned(), |range| format!("{kind}, {range}"))
}

fn list(schema: &Value) -> String {
    let items = schema.get("items").unwrap_or(&Value::Null);
    let range = Range::of(items).map_or(String::new(), |range| format!(", {range}"));
    let item = of(items);
    let items = match item.strip_suffix(&range) {
        Some(item @ ("number" | "whole number" | "string" | "word")) => format!("{item}s"),
        _ => "choices".to_owned(),
    };
    let each = range.replace(", ", ", each ");
    match (schema.get("minItems"), schema.get("maxItems")) {
        (Some(least), Some(most)) if least == most => format!("list of {least} {items}{each}"),
        _ => format!("list of {items}{each}"),
    }
}
