use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use ::config::{Check, Manual};

/// Every shipped config.
fn shipped() -> Vec<(PathBuf, RunConfig)> {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let folders = ["", "course1", "course2"].map(|folder| configs.join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.map(|path| (path.clone(), RunConfig::read(&path, &[]).unwrap())).collect()
}

/// The reason why `value` violates `schema`, which may only use the keywords of config schemas.
fn violation(schema: &Value, value: &Value) -> Option<String> {
    let variants = ["oneOf", "anyOf"].iter().find_map(|name| schema.get(name)?.as_array());
    if let Some(variants) = variants {
        let fits = variants.iter().filter(|variant| violation(variant, value).is_none());
        return (fits.count() != 1)
            .then(|| format!("{value} matches none or several of {variants:?}"));
    }
    if let Some(only) = schema.get("const") {
        return (only != value).then(|| format!("{value} is not {only}"));
    }
    match (schema["type"].as_str().unwrap(), value) {
        ("object", Value::Object(table)) => table_violation(schema, table),
        ("array", Value::Array(list)) => {
            list.iter().find_map(|item| violation(&schema["items"], item))
        }
        ("integer", Value::Number(number)) if number.is_u64() => None,
        ("number", Value::Number(_)) | ("string", Value::String(_)) => None,
        ("boolean", Value::Bool(_)) => None,
        (kind, value) => Some(format!("{value} is not of type {kind}")),
    }
}

fn table_violation(schema: &Value, table: &Map<String, Value>) -> Option<String> {
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.map(|key| key.as_str().unwrap()).find(|key| !table.contains_key(*key));
    let inner = |(key, value)| match schema["properties"].get(key) {
        Some(schema) => violation(schema, value).map(|reason| format!("{key}: {reason}")),
        None => Some(format!("{key} is unknown")),
    };
    missing.map(|key| format!("{key} is missing")).or_else(|| table.iter().find_map(inner))
}

#[test]
fn every_shipped_config_is_valid_and_each_of_its_keys_is_described() {
    let schema = RunConfig::schema(&ModelRegistry::new());
    let manual = Manual::of(&schema);
    let configs = shipped();
    assert!(configs.len() >= 20);
    for (path, config) in configs {
        let config = serde_json::to_value(&config).unwrap();
        assert_eq!(violation(&schema, &config), None, "{}", path.display());
        assert_described(&manual, "", &config);
    }
}

#[track_caller]
fn assert_described(manual: &Manual, key: &str, value: &Value) {
    let Value::Object(table) = value else { return };
    for (name, value) in table {
        let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        let entry = manual.get(&key).unwrap_or_else(|| panic!("{key} is not in the manual"));
        assert!(!entry.description.is_empty(), "{key} has no description");
        assert_described(manual, &key, value);
    }
}

#[test]
fn every_shipped_file_is_valid_even_if_it_extends_another() {
    let schema = RunConfig::file_schema(&ModelRegistry::new());
    for (path, _) in shipped() {
        let file: Value = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(violation(&schema, &file), None, "{}", path.display());
    }
}

#[test]
fn a_file_that_extends_no_other_has_the_required_keys_of_a_config() {
    let schema = RunConfig::file_schema(&ModelRegistry::new());
    assert_eq!(schema["if"], json!({ "not": { "required": ["extends"] } }));
    let required = &schema["then"];
    assert_eq!(required["required"], RunConfig::schema(&ModelRegistry::new())["required"]);
    let hdf5_keys = &required["properties"]["dataset"]["properties"]["hdf5"]["required"];
    assert_eq!(*hdf5_keys, json!(["directory", "train"]));
}

#[test]
fn every_key_and_choice_is_described_without_rust_links() {
    let schema = RunConfig::schema(&ModelRegistry::new());
    for entry in Manual::of(&schema).entries() {
        let choices = entry.choices.iter().map(|choice| &choice.description);
        for text in choices.chain([&entry.description]) {
            assert!(!text.is_empty() && !text.contains("[`"), "{}: {text:?}", entry.key);
        }
        assert_ne!(entry.kind, "any value", "{}", entry.key);
    }
}

#[test]
fn the_schema_rejects_what_serde_rejects() {
    let schema = RunConfig::schema(&ModelRegistry::new());
    let (_, config) = shipped().remove(0);
    let config = serde_json::to_value(&config).unwrap();
    let changes = [
        ("/training/epochs", json!(1.5)),
        ("/training/epoch", json!(1)),
        ("/model", json!("mlp")),
        ("/model", json!({ "mlp": {}, "cnn": {} })),
        ("/objective/class_weights", json!("equal")),
        ("/schedule/decay", json!("cosine")),
        ("/augmentation", json!(["rotate"])),
    ];
    for (pointer, wrong) in changes {
        let mut config = config.clone();
        let (table, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(table).unwrap()[key] = wrong;
        assert!(violation(&schema, &config).is_some(), "{pointer}");
        assert!(serde_json::from_value::<RunConfig>(config).is_err(), "{pointer}");
    }
}

#[test]
fn alternative_types_of_a_key_are_described() {
    let manual = Manual::of(&RunConfig::schema(&ModelRegistry::new()));
    let kind = |key| manual.get(key).unwrap().kind.as_str();
    let weights = "string, or array of numbers, each between 1e-6 and 1000000";
    assert_eq!(kind("objective.class_weights"), weights);
    assert_eq!(kind("objective.head"), "string");
    assert_eq!(kind("schedule.decay"), "string, or single-key table");
    assert_eq!(kind("training.batch_size"), "string, or integer, between 1 and 1000000");
    assert_eq!(kind("training.epochs"), "integer, between 1 and 10000000");
    assert_eq!(kind("augmentation.scale"), "array of 2 numbers, each between 0.1 and 10");
    assert_eq!(kind("extends"), "string");
    assert_eq!(manual.get("optimizer.adam.beta_1").unwrap().default.as_deref(), Some("0.9"));
}

/// A config with only `key = value`; an augmentation is in an array.
fn only(key: &str, value: toml::Value) -> toml::Table {
    let (name, rest) = key.split_once('.').unwrap_or((key, ""));
    let inner = match rest {
        "" => value,
        rest => toml::Value::Table(only(rest, value)),
    };
    let inner = if name == "augmentation" { vec![inner].into() } else { inner };
    toml::Table::from_iter([(name.to_owned(), inner)])
}

/// The keys with problems in a config with only `key = value`.
fn problems(key: &str, value: impl Into<toml::Value>) -> Vec<String> {
    let mut check = Check::default();
    check.ranges(&BUILT_IN, &only(key, value.into()));
    check.into_problems().into_iter().map(|problem| problem.key).collect()
}

/// Whether a key is a number or an array of numbers.
fn is_number(kind: &str) -> bool {
    ["number", "integer"].iter().any(|name| kind.contains(name))
}

/// Every key of a number with a range, and whether it is an array of numbers.
fn ranged() -> Vec<(String, bool)> {
    let manual = Manual::of(&BUILT_IN);
    let numbers = manual.entries().iter().filter(|entry| is_number(&entry.kind));
    let ranged = numbers.filter(|entry| entry.kind.contains(", "));
    ranged.map(|entry| (entry.key.clone(), entry.kind.contains("array"))).collect()
}

#[test]
fn a_number_outside_the_range_in_the_schema_is_reported_for_every_key() {
    let ranged = ranged();
    assert!(ranged.len() >= 60, "{}", ranged.len());
    for (key, is_array) in ranged {
        for wrong in [-1.0, 1e39, f64::NAN] {
            let wrong = toml::Value::Float(wrong);
            let wrong = if is_array { vec![wrong].into() } else { wrong };
            let found = key.replace("augmentation.", "augmentation.0.");
            assert_eq!(problems(&key, wrong.clone()), [found], "{key} = {wrong}");
        }
    }
}

#[test]
fn the_limits_of_a_range_are_inclusive_or_exclusive_as_in_the_schema() {
    assert_eq!(problems("training.epochs", 10_000_000), [""; 0]);
    assert_eq!(problems("training.epochs", 10_000_001).len(), 1);
    assert_eq!(problems("model.mlp.dropout", vec![0.0, 0.99]), [""; 0]);
    assert_eq!(problems("model.mlp.dropout", vec![0.5, 1.0]).len(), 1);
    assert_eq!(problems("optimizer.adam.learning_rate", 0).len(), 1);
    assert_eq!(problems("optimizer.adam.learning_rate", 1e-9), [""; 0]);
    assert_eq!(problems("dataset.points.factor", 1.0).len(), 1);
}

#[test]
fn the_numbers_of_a_table_written_as_an_array_are_checked_too() {
    let config = "name = 'tiny'\n[dataset.points]\n[model.mlp]\n[optimizer.sgd]\n";
    for (wrong, key) in [
        ("[schedule]\ndecay.cosine = [-0.5]\n[training]\nepochs = 1", "final_fraction"),
        ("[training]\nepochs = 1\ncheckpoint = [0]", "every_epochs"),
    ] {
        let error = RunConfig::parse(
            "tiny.toml".as_ref(),
            &format!("{config}{wrong}"),
            &[],
            &ModelRegistry::new(),
        );
        let error = error.unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("is not"), "{error}");
    }
}

#[test]
fn all_numbers_except_seeds_and_warmup_have_a_range() {
    let manual = Manual::of(&RunConfig::schema(&ModelRegistry::new()));
    let numbers = manual.entries().iter().filter(|entry| is_number(&entry.kind));
    let free = numbers.filter(|entry| !entry.kind.contains(", "));
    let free: Vec<_> = free.map(|entry| entry.key.as_str()).collect();
    assert_eq!(
        free,
        ["dataset.hdf5.synthetic.seed", "dataset.synthetic.seed", "schedule.warmup_epochs", "seed"]
    );
}
