mod choices;
mod extends;
mod origins;

use super::*;
use crate::manual::Manual;
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Config {
    epochs: usize,
    adam: Adam,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Adam {
    learning_rate: f64,
}

const TEXT: &str = "epochs = 3\n\n[adam]\nlearning_rate = 1e-3\n";

fn document(text: &str, overrides: &[&str]) -> Result<Document, ConfigError> {
    let overrides: Vec<_> = overrides.iter().map(|text| (*text).to_owned()).collect();
    Document::parse(Path::new("a.toml"), text, &overrides, Rules::default())
}

fn message(text: &str, overrides: &[&str]) -> String {
    let document = document(text, overrides);
    document.and_then(|document| document.deserialize::<Config>()).unwrap_err().to_string()
}

#[test]
fn the_last_override_of_a_key_wins() {
    let overrides = ["adam.learning_rate=0.5", "epochs=7", "epochs=9"];
    let config: Config = document(TEXT, &overrides).unwrap().deserialize().unwrap();
    assert_eq!(config, Config { epochs: 9, adam: Adam { learning_rate: 0.5 } });
}

#[test]
fn an_unknown_key_is_shown_at_its_place() {
    let text = TEXT.replace("learning_rate", "learnin_rate");
    assert_eq!(
        message(&text, &[]),
        "the config has a problem\n\
         a.toml:4:1: unknown key `learnin_rate`: did you mean `learning_rate`?\n  \
         4 | learnin_rate = 1e-3\n    \
         | ^^^^^^^^^^^^"
    );
}

#[test]
fn a_value_in_a_table_of_a_list_is_shown_with_the_place_of_the_table() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        #[serde(rename = "adams")]
        _adams: Vec<Adam>,
    }
    let tables = "[[adams]]\nlearning_rate = 1e-3\n\n[[adams]]\nlearning_rate = []\n";
    let inline = "adams = [{ learning_rate = 1e-3 }, { learning_rate = [] }]";
    for (text, place) in [(tables, "a.toml:5:17"), (inline, "a.toml:1:54")] {
        let document = document(text, &[]).unwrap();
        let refused = document.deserialize::<List>().unwrap_err().to_string();
        let words = format!("{place}: adams.1.learning_rate: expected a number");
        assert!(refused.contains(&words), "{refused}");
        let key = "adams.1.learning_rate".to_owned();
        let invalid = document.error(vec![Problem { key, message: "no".to_owned() }]).to_string();
        assert!(invalid.contains(&format!("{place}: adams.1.learning_rate: no")), "{invalid}");
    }
}

#[test]
fn every_unknown_key_is_shown_beside_the_first_mistake() {
    let schema = serde_json::json!({ "properties": {
        "epochs": { "type": "integer" },
        "adam": { "properties": { "learning_rate": { "type": "number" } } },
    } });
    let text = "epochs = true\nepoch = 1\n\n[adam]\nlearnin_rate = 1e-3\nepochs.x = 1\n";
    let document = document(text, &["zzz=1"]).unwrap();
    let error = document.deserialize::<Config>().unwrap_err();
    let shown = document.with_unknown(error, &Manual::of(&schema)).to_string();
    for words in [
        "4 problems",
        "--set zzz = 1: unknown key `zzz`: known here are `adam`, `epochs`",
        "a.toml:2:1: unknown key `epoch`: did you mean `epochs`?",
        "a.toml:5:1: unknown key `learnin_rate`: did you mean `learning_rate`?",
        "a.toml:6:1: adam.epochs: unknown key `epochs`: known here are `learning_rate`",
    ] {
        assert!(shown.contains(words), "no {words:?} in {shown}");
    }
}

#[test]
fn a_wrong_type_in_an_override_is_shown_as_the_override() {
    let text = message(TEXT, &["epochs=many"]);
    assert!(text.contains("--set epochs = \"many\": epochs: expected a whole number"), "{text}");
}

#[test]
fn an_override_into_a_value_or_without_a_value_is_refused() {
    let text = message(TEXT, &["epochs.first=1"]);
    assert!(text.contains("`epochs` holds a value (a.toml:1:10), not a table"), "{text}");
    assert!(message(TEXT, &["epochs"]).contains("there is no `=`"));
    assert!(message(TEXT, &["ep och=1"]).contains("--set ep och=1"));
}

#[test]
fn a_key_that_is_missing_at_the_top_is_shown_at_the_start_of_the_file() {
    let text = message("[adam]\nlearning_rate = 1e-3", &["adam.learning_rate=2"]);
    assert!(text.ends_with("\na.toml:1:1: the key `epochs` is missing: add it"), "{text}");
}

#[test]
fn a_key_in_the_file_and_in_an_override_is_shown_in_the_override() {
    let text = message("epoch = 3", &["epoch=4"]);
    assert!(text.contains("--set epoch = 4: unknown key `epoch`"), "{text}");
}

#[test]
fn a_text_that_ends_too_early_is_shown_at_its_end() {
    let text = message("epochs =", &["epochs=3"]);
    assert!(text.contains("a.toml:1:9: "), "{text}");
    assert!(message("\u{feff}epochs = ", &["epochs=3"]).contains("a.toml:1:"), "{text}");
}

#[test]
fn problems_are_shown_together_each_at_its_value() {
    let problem = |key: &str| Problem { key: key.into(), message: "is wrong".into() };
    let document = document(TEXT, &["epochs=0"]).unwrap();
    let text = document
        .error(vec![problem("adam.learning_rate"), problem("epochs"), problem("absent")])
        .to_string();
    assert!(text.starts_with("the config has 3 problems"), "{text}");
    assert!(text.contains("a.toml:4:17: adam.learning_rate: is wrong"), "{text}");
    assert!(text.contains("--set epochs = 0: epochs: is wrong"), "{text}");
    assert!(text.contains("a.toml:1:1: absent: is wrong"), "{text}");
}

#[test]
fn a_value_is_shown_with_its_key_also_where_the_line_does_not_name_it() {
    let text = message("epochs = 3\nadam = {\n  learning_rate =\n  true,\n}", &[]);
    assert!(text.contains("a.toml:4:3: adam.learning_rate: expected a number"), "{text}");
    let text = message("epochs = 3\n[adam]\nadam = 1\nlearning_rate = []", &["adam.b=1"]);
    assert!(text.contains("unknown key `"), "{text}");
    let text = message("epochs = 3\n\n[adam]", &[]);
    assert!(text.contains("a.toml:3:1: adam: the key `learning_rate` is missing"), "{text}");
}

#[test]
fn twenty_thousand_overrides_are_refused_in_little_memory() {
    let overrides: Vec<_> = (0..20_000).map(|number| format!("key_{number}=1")).collect();
    let overrides: Vec<_> = overrides.iter().map(String::as_str).collect();
    let text = message(TEXT, &overrides);
    assert!(text.contains("all overrides together are too long"), "{text}");
}

#[test]
fn control_characters_of_a_config_do_not_reach_the_terminal() {
    for text in ["\"a\\u001B[2J\" = 1", "a = \u{1b}[2J"] {
        let message = message(text, &["b=\u{1b}[2J"]);
        assert!(!message.contains('\u{1b}'), "{message}");
    }
}
