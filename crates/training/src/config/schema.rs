//! The config as a JSON Schema.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::LazyLock;

use models::ModelRegistry;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::RunConfig;

/// [`RunConfig::schema`] without custom models, generated once.
static BUILT_IN: LazyLock<Value> = LazyLock::new(|| RunConfig::schema(&ModelRegistry::new()));

/// [`RunConfig::schema`].
pub fn cached(models: &ModelRegistry) -> Cow<'static, Value> {
    if models.names().next().is_none() {
        Cow::Borrowed(&*BUILT_IN)
    } else {
        Cow::Owned(RunConfig::schema(models))
    }
}

impl RunConfig {
    /// JSON Schema (draft 7, without references) of a resolved config, generated from the structs
    /// and their documentation, with the custom `models`.
    pub fn schema(models: &ModelRegistry) -> Value {
        let mut schema = schema_of::<Self>("Config of trainer");
        if let Some(Value::Object(model)) = schema.pointer_mut("/properties/model")
            && let Some(Value::Array(mut variants)) = model.remove("anyOf")
        {
            variants.extend(models.schemas(&mut generator()).map(model_variant));
            model.insert("oneOf".to_owned(), variants.into());
        }
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            // The key of a file that a resolved config does not have.
            let extends = json!({
                "type": "string",
                "description": "Base config, a path relative to this file. Values of this file take precedence.",
            });
            properties.insert("extends".to_owned(), extends);
        }
        schema
    }

    /// Like [`RunConfig::schema`] for a single file: a file that extends another has no required
    /// keys.
    pub fn file_schema(models: &ModelRegistry) -> Value {
        let mut schema = Self::schema(models);
        let required = take_required(&mut schema);
        if let Value::Object(schema) = &mut schema {
            schema.insert("if".to_owned(), json!({ "not": { "required": ["extends"] } }));
            schema.insert("then".to_owned(), required);
        }
        schema
    }
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true).into_generator()
}

/// The variant of a custom model in the schema of `model`.
fn model_variant((name, mut schema): (&'static str, Schema)) -> Value {
    RecursiveTransform(tidy).transform(&mut schema);
    json!({
        "type": "object",
        "description": schema.get("description").cloned().unwrap_or_else(|| "A custom model.".into()),
        "properties": { name: schema },
        "required": [name],
        "additionalProperties": false,
    })
}

/// JSON Schema (draft 7, without references) of a TOML file of `T`.
pub fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// Removes the required keys of tables and returns them as a schema of their own. Required keys
/// that distinguish choices stay.
fn take_required(schema: &mut Value) -> Value {
    let mut required = Map::new();
    if let Some(keys) = schema.as_object_mut().and_then(|schema| schema.remove("required")) {
        required.insert("required".to_owned(), keys);
    }
    let mut below: Map<_, _> = required_below(schema).collect();
    let variants = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    variants.into_iter().flatten().for_each(|variant| below.extend(required_below(variant)));
    if !below.is_empty() {
        required.insert("properties".to_owned(), below.into());
    }
    required.into()
}

fn required_below(schema: &mut Value) -> impl Iterator<Item = (String, Value)> {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    let required = properties.into_iter().flatten();
    let required = required.map(|(name, schema)| (name.clone(), take_required(schema)));
    required
        .filter(|(_, required)| required.as_object().is_some_and(|required| !required.is_empty()))
}

/// Removes what has no meaning in TOML, and the line breaks of the source.
fn tidy(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else { return };
    schema.remove("format");
    remove_null(schema);
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

/// TOML has no null: an optional key is absent.
fn remove_null(schema: &mut Map<String, Value>) {
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
            // The description of the key takes precedence over that of its type.
            for (name, value) in only {
                schema.entry(name).or_insert(value);
            }
        }
    }
}
