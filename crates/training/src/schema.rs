//! The config as a JSON Schema.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value, json};

use crate::config::RunConfig;

/// [`RunConfig::schema`], made once.
pub static SCHEMA: LazyLock<Value> = LazyLock::new(RunConfig::schema);

impl RunConfig {
    /// What a config may say, as JSON Schema of draft 7 without references, which editors
    /// understand. Made from the structs and their documentation.
    pub fn schema() -> Value {
        let mut schema = schema_of::<Self>("A config of trainer");
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert("extends".to_owned(), extends().to_value());
        }
        schema
    }

    /// What one file may say: as [`RunConfig::schema`], but that a file that extends another need
    /// say nothing.
    pub fn file_schema() -> Value {
        let mut schema = Self::schema();
        let needed = take_needed(&mut schema);
        if let Value::Object(schema) = &mut schema {
            schema.insert("if".to_owned(), json!({ "not": { "required": ["extends"] } }));
            schema.insert("then".to_owned(), needed);
        }
        schema
    }
}

/// What a TOML file of `T` may say, as JSON Schema of draft 7 without references.
pub fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// Takes away which keys tables must have, and gives that as a schema of its own. What tells the
/// choices apart stays.
fn take_needed(schema: &mut Value) -> Value {
    let mut needed = Map::new();
    if let Some(required) = schema.as_object_mut().and_then(|schema| schema.remove("required")) {
        needed.insert("required".to_owned(), required);
    }
    let mut below: Map<_, _> = needed_below(schema).collect();
    let variants = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    variants.into_iter().flatten().for_each(|variant| below.extend(needed_below(variant)));
    if !below.is_empty() {
        needed.insert("properties".to_owned(), below.into());
    }
    needed.into()
}

fn needed_below(schema: &mut Value) -> impl Iterator<Item = (String, Value)> {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    let needed = properties.into_iter().flatten();
    let needed = needed.map(|(name, schema)| (name.clone(), take_needed(schema)));
    needed.filter(|(_, needed)| needed.as_object().is_some_and(|needed| !needed.is_empty()))
}

/// The key that is no part of a config: it is gone once the files are merged.
fn extends() -> Schema {
    json_schema!({
        "type": "string",
        "description": "The config that this one changes, a path relative to this file. What this file says wins.",
    })
}

/// Takes away what means nothing in TOML, and the line breaks of the source.
fn tidy(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else { return };
    schema.remove("format");
    forget_null(schema);
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

/// An absent key is absent; no value says so.
fn forget_null(schema: &mut Map<String, Value>) {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(variants)) = schema.get_mut("anyOf") {
        variants.retain(|variant| !is_null(variant));
        if let [Value::Object(only)] = &variants[..] {
            let only = only.clone();
            schema.remove("anyOf");
            // What is said of the key stands above what is said of its type.
            for (name, value) in only {
                schema.entry(name).or_insert(value);
            }
        }
    }
}
