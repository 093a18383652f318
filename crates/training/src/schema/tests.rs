use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use ::config::Manual;

/// Every shipped config.
fn shipped() -> Vec<(PathBuf, RunConfig)> {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let folders = ["", "course1", "course2"].map(|folder| configs.join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.map(|path| (path.clone(), RunConfig::read(&path, &[]).unwrap())).collect()
}

/// Why `value` is not as `schema` says; only what schemas of configs say is understood.
fn objection(schema: &Value, value: &Value) -> Option<String> {
    let variants = ["oneOf", "anyOf"].iter().find_map(|name| schema.get(name)?.as_array());
    if let Some(variants) = variants {
        let fits = variants.iter().filter(|variant| objection(variant, value).is_none());
        return (fits.count() != 1).then(|| format!("{value} is none or several of {variants:?}"));
    }
    if let Some(only) = schema.get("const") {
        return (only != value).then(|| format!("{value} is not {only}"));
    }
    match (schema["type"].as_str().unwrap(), value) {
        ("object", Value::Object(table)) => of_table(schema, table),
        ("array", Value::Array(list)) => {
            list.iter().find_map(|item| objection(&schema["items"], item))
        }
        ("integer", Value::Number(number)) if number.is_u64() => None,
        ("number", Value::Number(_)) | ("string", Value::String(_)) => None,
        ("boolean", Value::Bool(_)) => None,
        (kind, value) => Some(format!("{value} is not of type {kind}")),
    }
}

fn of_table(schema: &Value, table: &Map<String, Value>) -> Option<String> {
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.map(|key| key.as_str().unwrap()).find(|key| !table.contains_key(*key));
    let inner = |(key, value)| match schema["properties"].get(key) {
        Some(schema) => objection(schema, value).map(|reason| format!("{key}: {reason}")),
        None => Some(format!("{key} is unknown")),
    };
    missing.map(|key| format!("{key} is missing")).or_else(|| table.iter().find_map(inner))
}

#[test]
fn every_shipped_config_is_as_the_schema_says_and_each_of_its_keys_is_explained() {
    let schema = RunConfig::schema();
    let manual = Manual::of(&schema);
    let configs = shipped();
    assert!(configs.len() >= 20);
    for (path, config) in configs {
        let config = serde_json::to_value(&config).unwrap();
        assert_eq!(objection(&schema, &config), None, "{}", path.display());
        explained(&manual, "", &config);
    }
}

#[track_caller]
fn explained(manual: &Manual, key: &str, value: &Value) {
    let Value::Object(table) = value else { return };
    for (name, value) in table {
        let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        let entry = manual.get(&key).unwrap_or_else(|| panic!("{key} is not explained"));
        assert!(!entry.description.is_empty(), "{key} has no description");
        explained(manual, &key, value);
    }
}

#[test]
fn every_shipped_file_is_as_the_schema_says_also_where_it_says_little_of_its_own() {
    let schema = RunConfig::file_schema();
    for (path, _) in shipped() {
        let file: Value = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(objection(&schema, &file), None, "{}", path.display());
    }
}

#[test]
fn a_file_that_extends_no_other_must_say_what_a_config_must() {
    let schema = RunConfig::file_schema();
    assert_eq!(schema["if"], json!({ "not": { "required": ["extends"] } }));
    let needed = &schema["then"];
    assert_eq!(needed["required"], RunConfig::schema()["required"]);
    assert_eq!(needed["properties"]["training"]["required"], json!(["epochs"]));
    let of_files = &needed["properties"]["dataset"]["properties"]["hdf5"]["required"];
    assert_eq!(*of_files, json!(["directory", "train"]));
}

#[test]
fn every_key_and_every_choice_is_described_in_words_of_the_user() {
    let schema = RunConfig::schema();
    for entry in Manual::of(&schema).entries() {
        let choices = entry.choices.iter().map(|choice| &choice.description);
        for text in choices.chain([&entry.description]) {
            assert!(!text.is_empty() && !text.contains("[`"), "{}: {text:?}", entry.key);
        }
        assert_ne!(entry.kind, "any value", "{}", entry.key);
    }
}

#[test]
fn what_serde_refuses_the_schema_refuses() {
    let schema = RunConfig::schema();
    let (_, config) = shipped().remove(0);
    let config = serde_json::to_value(&config).unwrap();
    let changes = [
        ("/training/epochs", json!(1.5)),
        ("/training/epoch", json!(1)),
        ("/model", json!({ "perceptron": {} })),
        ("/model", json!({ "mlp": {}, "cnn": {} })),
        ("/objective/class_weights", json!("equal")),
        ("/schedule/decay", json!("cosine")),
        ("/augmentation", json!(["rotate"])),
    ];
    for (place, wrong) in changes {
        let mut config = config.clone();
        let (table, key) = place.rsplit_once('/').unwrap();
        config.pointer_mut(table).unwrap()[key] = wrong;
        assert!(objection(&schema, &config).is_some(), "{place}");
        assert!(serde_json::from_value::<RunConfig>(config).is_err(), "{place}");
    }
}

#[test]
fn choices_that_are_written_in_several_ways_are_described_so() {
    let manual = Manual::of(&RunConfig::schema());
    let kind = |key| manual.get(key).unwrap().kind.as_str();
    assert_eq!(kind("objective.class_weights"), "word, or list of numbers");
    assert_eq!(kind("objective.head"), "word");
    assert_eq!(kind("schedule.decay"), "word, or table of one key");
    assert_eq!(kind("training.batch_size"), "whole number");
    assert_eq!(kind("augmentation.scale"), "list of 2 numbers");
    assert_eq!(kind("extends"), "string");
    assert_eq!(manual.get("optimizer.adam.beta_1").unwrap().default.as_deref(), Some("0.9"));
}
