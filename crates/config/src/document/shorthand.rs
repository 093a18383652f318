//! Choices by name: `model = "resnet"` is `[model.resnet]` with its defaults, also in arrays.

use std::borrow::Cow;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::{inner, items_of};
use crate::manual::{only_property, variants};

/// Replaces the names of choices that are tables by such tables without keys. A choice with required
/// keys fails at deserialisation.
pub fn expand(schema: &Value, table: &mut DeTable<'_>) {
    for (name, value) in table.iter_mut() {
        if let Some(schema) = inner(schema, name.get_ref()) {
            expand_value(schema, value);
        }
    }
}

fn expand_value(schema: &Value, value: &mut Spanned<DeValue<'_>>) {
    let span = value.span();
    match value.get_mut() {
        DeValue::Table(table) => expand(schema, table),
        DeValue::Array(values) => {
            if let Some(schema) = items_of(schema) {
                values.iter_mut().for_each(|value| expand_value(schema, value));
            }
        }
        DeValue::String(choice) if is_table(schema, choice) => {
            let key = Spanned::new(span.clone(), Cow::Owned(choice.clone().into_owned()));
            let empty = Spanned::new(span, DeValue::Table(DeTable::new()));
            *value.get_mut() = DeValue::Table(DeTable::from_iter([(key, empty)]));
        }
        _ => {}
    }
}

/// Whether the choice `name` of `schema` is a table of keys.
fn is_table(schema: &Value, name: &str) -> bool {
    let mut named = variants(schema).iter().flat_map(only_property).filter(|(own, _)| *own == name);
    named.any(|(_, inner)| inner.get("type").is_some_and(|kind| kind == "object"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_tables_become_tables_in_arrays_too() {
        let crop = json!({ "type": "object", "properties": { "area": { "type": "number" } } });
        let change = json!({ "oneOf": [
            { "const": "flip" },
            { "type": "object", "properties": { "crop": crop } },
            { "type": "object", "properties": { "rotate": { "type": "number" } } },
        ] });
        let schema = json!({ "properties": {
            "all": { "type": "array", "items": change.clone() },
            "one": change,
        } });
        let text = "all = ['flip', 'crop', 'rotate', { crop = { area = 1.0 } }]\none = 'crop'";
        let mut table = DeTable::parse(text).unwrap();
        expand(&schema, table.get_mut());
        let expected =
            "all = ['flip', { crop = {} }, 'rotate', { crop = { area = 1.0 } }]\none.crop = {}";
        let table: toml::Table =
            serde::Deserialize::deserialize(toml::de::Deserializer::from(table)).unwrap();
        assert_eq!(table, expected.parse::<toml::Table>().unwrap());
    }
}
