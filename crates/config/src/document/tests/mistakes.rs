//! Several mistakes in one file, and names of other frameworks.

use serde_json::{Value, json};

use super::*;

fn schema() -> Value {
    let choice = |name: &str, keys: Value| {
        json!({
            "type": "object", "required": [name], "additionalProperties": false,
            "properties": { name: { "type": "object", "properties": keys } },
        })
    };
    let rate = json!({ "type": "number", "exclusiveMinimum": 0, "default": 0.1 });
    json!({ "type": "object", "properties": {
        "name": { "type": "string" },
        "optimizer": { "oneOf": [
            choice("adam", json!({ "learning_rate": rate, "beta_1": rate })),
            choice("sgd", json!({ "learning_rate": rate })),
        ] },
        "model": { "type": "object", "properties": {
            "hidden": { "type": "array", "items": { "type": "integer", "minimum": 1, "maximum": 9 } },
            "dropout": { "type": "number" },
        } },
        "training": { "type": "object", "properties": {
            "epochs": { "type": "integer", "minimum": 1, "maximum": 99 },
            "batch_size": { "type": "integer" },
        } },
    } })
}

const RULES: Rules = Rules { choices: &["optimizer"], not_inherited: &[] };

const VALID: &str = "name = \"a\"\n\n[optimizer.adam]\nlearning_rate = 0.1\n\n[model]\nhidden = [8, 8]\n\n[training]\nepochs = 3\n";

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only its deserialisation is tested")]
struct Whole {
    name: String,
    optimizer: Optimizer,
    model: Model,
    training: Training,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Optimizer {
    Adam(Settings),
    Sgd(Settings),
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default = "half")]
    learning_rate: f64,
}

fn half() -> f64 {
    0.5
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Model {
    hidden: Vec<usize>,
    #[serde(default)]
    dropout: f64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Training {
    epochs: usize,
    #[serde(default)]
    batch_size: usize,
}

fn checked(text: &str, overrides: &[&str]) -> Result<Whole, ConfigError> {
    let overrides: Vec<_> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let document = Document::parse(Path::new("a.toml"), text, &overrides, RULES)?;
    document.checked(&schema(), |_, _| {})
}

/// The messages for the valid text with changes, each `line:column: message`.
#[track_caller]
fn problems(changes: &[(&str, &str)]) -> Vec<String> {
    let text = changes.iter().fold(VALID.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?}");
        text.replacen(from, to, 1)
    });
    let ConfigError::Invalid(diagnostics) = checked(&text, &[]).unwrap_err() else { panic!() };
    let place = |location: &str| location.trim_start_matches("a.toml:").to_owned();
    diagnostics.iter().map(|item| format!("{}: {}", place(&item.location), item.message)).collect()
}

#[test]
fn the_valid_text_is_accepted() {
    checked(VALID, &[]).unwrap();
}

#[test]
fn an_array_that_is_not_closed_is_reported_where_it_opens() {
    let missing = ["7:10: `]` is missing"];
    assert_eq!(problems(&[("[8, 8]", "[8, 8")]), missing);
    assert_eq!(problems(&[("[8, 8]", "[8, 8,")]), missing);
    assert_eq!(problems(&[("[8, 8]", "[8, 8 # widths")]), missing);
    assert_eq!(problems(&[("[8, 8]", "[\n  8,\n  8,")]), missing);
    assert_eq!(problems(&[("[8, 8]\n", "[8, 8\ndropout = 0.1\n")]), missing);
    assert_eq!(problems(&[("[8, 8]\n\n[training]\nepochs = 3\n", "[8, 8")]), missing);
    assert_eq!(problems(&[("epochs = 3", "epochs = { a = 1")]), ["10:10: `}` is missing"]);
}

#[test]
fn mistakes_of_every_kind_are_reported_together_in_their_order() {
    let found = problems(&[
        ("name = \"a\"", "name = a"),
        ("learning_rate", "learnin_rate"),
        ("[8, 8]", "[8, 8"),
        ("epochs = 3", "epochs = \"many\"\nbatch_size = 2.5"),
    ]);
    let places: Vec<_> = found.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(places, ["1:8:", "4:1:", "7:10:", "10:10:", "11:14:"], "{found:#?}");
}

#[test]
fn a_long_list_of_a_wrong_type_has_few_problems() {
    let list = format!("[{}]", "0.5, ".repeat(1000));
    assert!(problems(&[("[8, 8]", &list)]).len() < 50);
}

#[test]
fn a_number_out_of_range_is_not_hidden_by_a_wrong_type() {
    let found = problems(&[("epochs = 3", "epochs = 0"), ("0.1", "\"fast\""), ("[8, 8]", "[10]")]);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("4:17: expected a number"), "{found:#?}");
    assert!(found[2].starts_with("10:10: 0 is not"), "{found:#?}");
}

#[test]
fn a_broken_header_hides_the_keys_of_its_table_only() {
    let found = problems(&[("[optimizer.adam]", "[optimizer.adam"), ("epochs", "epoch")]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("3:"), "{found:#?}");
    assert_eq!(found[1], "10:1: unknown key `epoch`: did you mean `epochs`?");
}

#[test]
fn a_text_that_never_ends_is_one_mistake() {
    let found = problems(&[("\"a\"", "\"\"\"a")]);
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn a_windows_path_in_double_quotes_gets_a_hint() {
    for path in ["C:\\Users\\me", "C:\\data", "\\\\server\\x"] {
        let found = problems(&[("\"a\"", &format!("\"{path}\""))]);
        assert!(found[0].contains("write `/`, or put the text in single quotes"), "{found:#?}");
        assert_eq!(found.len(), 1, "{found:#?}");
    }
    checked(&VALID.replace("\"a\"", "'C:\\Users\\me'"), &[]).unwrap();
}

#[test]
fn names_of_other_frameworks_are_recognised() {
    let suggestion = |assignment: &str| {
        let error = checked(VALID, &[assignment]).unwrap_err().to_string();
        let (_, rest) = error.split_once("did you mean ").unwrap_or_else(|| panic!("{error}"));
        rest.lines().next().unwrap().to_owned()
    };
    assert_eq!(suggestion("epochs=3"), "`training.epochs`?");
    assert_eq!(suggestion("lr=0.1"), "`optimizer.adam.learning_rate`?");
    assert_eq!(suggestion("optimizer.adam.lr=0.1"), "`learning_rate`?");
    assert_eq!(suggestion("optimizer.lr=0.1"), "`optimizer.adam.learning_rate`?");
    assert_eq!(suggestion("training.bs=8"), "`batch_size`?");
    assert_eq!(suggestion("bs=8"), "`training.batch_size`?");
    assert_eq!(suggestion("training.lr=0.1"), "`optimizer.adam.learning_rate`?");
    assert_eq!(suggestion("optim.lr=0.1"), "`optimizer`?");
    assert_eq!(suggestion("dropout=0.1"), "`model.dropout`?");
}

#[test]
fn a_choice_by_its_name_has_its_defaults() {
    let config = checked(VALID, &["optimizer=sgd"]).unwrap();
    assert_eq!(config.optimizer, Optimizer::Sgd(Settings { learning_rate: 0.5 }));
    let text = VALID.replace("[optimizer.adam]\nlearning_rate = 0.1\n", "optimizer = \"adam\"\n");
    assert_eq!(
        checked(&text, &[]).unwrap().optimizer,
        Optimizer::Adam(Settings { learning_rate: 0.5 })
    );
    let error = checked(VALID, &["optimizer=sgd", "training.epochs=0.5"]).unwrap_err();
    assert!(!error.to_string().contains("unknown choice"), "{error}");
    let error = checked(VALID, &["optimizer=adan"]).unwrap_err();
    contains(&error, &["unknown choice `adan`: did you mean `adam`?"]);
}
