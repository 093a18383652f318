//! Choices by name: `model = "resnet"` is `[model.resnet]` with its defaults.

use std::borrow::Cow;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::inner;
use crate::manual::{only_property, variants};

/// Replaces the names of choices that are tables by such tables without keys. A choice with required
/// keys fails at deserialisation.
pub fn expand(schema: &Value, table: &mut DeTable<'_>) {
    for (name, value) in table.iter_mut() {
        let Some(schema) = inner(schema, name.get_ref()) else { continue };
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table) => expand(schema, table),
            DeValue::String(choice) if is_table(schema, choice) => {
                let key = Spanned::new(span.clone(), Cow::Owned(choice.clone().into_owned()));
                let empty = Spanned::new(span, DeValue::Table(DeTable::new()));
                *value.get_mut() = DeValue::Table(DeTable::from_iter([(key, empty)]));
            }
            _ => {}
        }
    }
}

/// Whether the choice `name` of `schema` is a table of keys.
fn is_table(schema: &Value, name: &str) -> bool {
    let mut named = variants(schema).iter().flat_map(only_property).filter(|(own, _)| *own == name);
    named.any(|(_, inner)| inner.get("type").is_some_and(|kind| kind == "object"))
}
