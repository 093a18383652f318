use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;
use toml::{Table, Value as Toml};

use crate::manual::variants;
use crate::range::Range;

/// Invalid value of the right type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key, for example `optimizer.adam.learning_rate`.
    pub key: String,
    /// Description of the problem and of what to write instead.
    pub message: String,
}

/// Collects the problems of a config, so that all of them are reported at once.
#[derive(Debug, Default)]
pub struct Check {
    path: Vec<String>,
    problems: Vec<Problem>,
}

impl Check {
    /// Returns the problems in the order of the checks.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Runs `check` on the keys of the table `name`.
    pub fn table(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        check(self);
        self.path.pop();
    }

    /// Adds a problem of `key` unless `holds`.
    pub fn require(&mut self, key: &str, holds: bool, message: impl Display) {
        if !holds {
            let path = self.path.iter().map(String::as_str).chain([key]);
            self.problems.push(Problem {
                key: path.collect::<Vec<_>>().join("."),
                message: message.to_string(),
            });
        }
    }

    /// Requires every number of `config` to be in the range of its key in `schema`, the JSON Schema
    /// of the config without references. The deserialised values are checked, not their TOML: serde
    /// also accepts a table as an array of its values.
    pub fn ranges(&mut self, schema: &Value, config: &impl Serialize) {
        match Table::try_from(config) {
            Ok(table) => self.check_table(schema, &table),
            Err(error) => self.require("", false, error),
        }
    }

    fn check_table(&mut self, schema: &Value, table: &Table) {
        for (name, value) in table {
            if let Some(schema) = inner(schema, name) {
                self.check_value(name, schema, value);
            }
        }
    }

    fn check_value(&mut self, key: &str, schema: &Value, value: &Toml) {
        match value {
            Toml::Integer(number) => self.check_number(key, schema, *number as f64),
            Toml::Float(number) => self.check_number(key, schema, *number),
            Toml::Table(table) => self.table(key, |check| check.check_table(schema, table)),
            Toml::Array(items) => self.check_items(key, items_of(schema), items),
            _ => {}
        }
    }

    /// Checks the items of an array. Only the first invalid number is reported, with the key of the
    /// array; tables have a key with their index.
    fn check_items(&mut self, key: &str, schema: Option<&Value>, items: &[Toml]) {
        let Some(schema) = schema else { return };
        let before = self.problems.len();
        for (index, item) in items.iter().enumerate() {
            match item {
                Toml::Table(table) => self.table(key, |check| {
                    check.table(&index.to_string(), |check| check.check_table(schema, table));
                }),
                item if self.problems.len() == before => self.check_value(key, schema, item),
                _ => {}
            }
        }
    }

    fn check_number(&mut self, key: &str, schema: &Value, number: f64) {
        let range = Range::of(schema).or_else(|| variants(schema).iter().find_map(Range::of));
        let violation = range.and_then(|range| range.violation(number));
        self.require(key, violation.is_none(), violation.unwrap_or_default());
    }
}

/// Returns the schema of the key `name` of a table or of a choice.
pub(crate) fn inner<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let own = schema.get("properties").and_then(|properties| properties.get(name));
    own.or_else(|| variants(schema).iter().find_map(|variant| inner(variant, name)))
}

/// Returns the schema of the items of an array, which may be one of several alternatives.
pub(crate) fn items_of(schema: &Value) -> Option<&Value> {
    let own = schema.get("items");
    own.or_else(|| variants(schema).iter().find_map(items_of))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_problem_has_the_path_of_its_key() {
        let mut check = Check::default();
        check.table("optimizer", |check| {
            check.table("adam", |check| check.require("learning_rate", false, "wrong"));
        });
        check.require("seeds", false, "wrong");

        let keys: Vec<_> = check.into_problems().into_iter().map(|p| p.key).collect();
        assert_eq!(keys, ["optimizer.adam.learning_rate", "seeds"]);
    }

    #[test]
    fn numbers_are_checked_in_tables_choices_and_arrays() {
        let count = json!({ "type": "integer", "minimum": 1, "maximum": 9 });
        let choice = |name: &str| json!({ "type": "object", "properties": { name: count } });
        let schema = json!({ "properties": {
            "count": count,
            "model": { "oneOf": [choice("cnn"), choice("mlp")] },
            "sizes": { "type": "array", "items": count },
            "ends": { "oneOf": [{ "type": "string" }, { "type": "array", "items": count }] },
            "changes": { "type": "array", "items": { "oneOf": [choice("crop")] } },
        } });
        let checked = |text: &str| {
            let mut check = Check::default();
            check.ranges(&schema, &text.parse::<Table>().unwrap());
            check.into_problems().into_iter().map(|problem| problem.key).collect::<Vec<_>>()
        };
        let wrong = "count = 0\nmodel.mlp = 10\nsizes = [1, 0, 0]\nends = [12]\nchanges = [\"flip\", { crop = 0 }]\n";
        let mut keys = checked(wrong);
        keys.sort();
        assert_eq!(keys, ["changes.1.crop", "count", "ends", "model.mlp", "sizes"]);
        let right = "count = 9\nmodel.cnn = 1\nsizes = []\nends = \"word\"\nunknown = 0\nchanges = [{ crop = 1 }]\n";
        assert_eq!(checked(right), [""; 0]);
    }
}
