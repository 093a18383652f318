//! Type names of JSON Schemas.

use serde_json::Value;

use super::{Choice, description};
use crate::range::Range;

/// Returns the type of `schema`: `integer`, `string, or single-key table`.
pub fn of(schema: &Value) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for variant in variants(schema) {
        let is_table = only_property(variant).next().is_some();
        let kind = if is_table { "single-key table".to_owned() } else { of(variant) };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() { simple(schema) } else { kinds.join(", or ") }
}

/// Returns the alternatives of `schema`, or of the items of its array, that are not tables.
pub fn choices(schema: &Value) -> Vec<Choice> {
    let variants = variants(schema.get("items").unwrap_or(schema)).iter();
    let is_named = |variant: &&Value| variant.get("const").or(variant.get("description")).is_some();
    let plain = variants.filter(|variant| only_property(variant).next().is_none()).filter(is_named);
    let choice = |variant: &Value| {
        let name = variant.get("const").map_or_else(|| of(variant), Value::to_string);
        Choice { name, description: description(variant) }
    };
    plain.map(choice).collect()
}

/// Returns the alternatives of `schema`, if it has any.
pub fn variants(schema: &Value) -> &[Value] {
    let variants = ["oneOf", "anyOf"].iter().find_map(|name| schema.get(name)?.as_array());
    variants.map_or(&[], Vec::as_slice)
}

/// Returns name and schema of the only key of a variant that is a table.
pub fn only_property(variant: &Value) -> impl Iterator<Item = (&String, &Value)> {
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
    let item = of(items);
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
