mod choices;
mod extends;
mod mistakes;
mod origins;

use super::*;
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

#[track_caller]
fn contains(error: &ConfigError, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in:\n{message}");
    }
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
fn an_unknown_key_is_underlined() {
    let text = TEXT.replace("learning_rate", "learnin_rate");
    assert_eq!(
        message(&text, &[]),
        "invalid config\n \
         --> a.toml:4:1\n  \
         |\n\
         4 | learnin_rate = 1e-3\n  \
         | ^^^^^^^^^^^^ unknown key `learnin_rate`: did you mean `learning_rate`?"
    );
}

#[test]
fn a_value_in_an_array_of_tables_has_the_index_of_its_table() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        #[serde(rename = "adams")]
        _adams: Vec<Adam>,
    }
    let tables = "[[adams]]\nlearning_rate = 1e-3\n\n[[adams]]\nlearning_rate = []\n";
    let inline = "adams = [{ learning_rate = 1e-3 }, { learning_rate = [] }]";
    for (text, location) in [(tables, "a.toml:5:17"), (inline, "a.toml:1:54")] {
        let document = document(text, &[]).unwrap();
        let error = document.deserialize::<List>().unwrap_err();
        contains(&error, &[location, "^^ adams.1.learning_rate: expected a number"]);
        let key = "adams.1.learning_rate".to_owned();
        let error = document.invalid(vec![Problem { key, message: "no".to_owned() }]);
        contains(&error, &[location, "^^ adams.1.learning_rate: no"]);
    }
}

#[test]
fn every_unknown_key_is_reported_beside_the_first_error() {
    let schema = serde_json::json!({ "properties": {
        "epochs": { "type": "integer" },
        "adam": { "properties": { "learning_rate": { "type": "number" } } },
    } });
    let text = "epochs = true\nepoch = 1\n\n[adam]\nlearnin_rate = 1e-3\nepochs.x = 1\n";
    let document = document(text, &["zzz=1"]).unwrap();
    let error = document.deserialize::<Config>().unwrap_err();
    let error = document.with_problems(error, &schema);
    let words = [
        "5 problems",
        "--> <overrides>:1:1\n",
        "1 | zzz = 1\n  | ^^^ unknown key `zzz`: expected one of `adam`, `epochs`\n",
        "::: a.toml:1:10\n",
        "1 | epochs = true\n  |          ^^^^ epochs: expected an integer, found boolean\n",
        "2 | epoch = 1\n  | ^^^^^ unknown key `epoch`: did you mean `epochs`?\n",
        "^^^ unknown key `learnin_rate`: did you mean `learning_rate`?\n",
        "6 | epochs.x = 1\n  | ^^^^^^ adam.epochs: unknown key `epochs`: expected one of `learning_rate`",
    ];
    contains(&error, &words);
}

#[test]
fn a_wrong_type_in_an_override_is_underlined_in_the_override_and_its_base() {
    let text = message(TEXT, &["epochs=many"]);
    let expected = "invalid config\n \
         --> <overrides>:1:10\n  \
         |\n\
         1 | epochs = \"many\"\n  \
         |          ^^^^^^ epochs: expected a non-negative integer, found string \"many\"\n  \
         |\n \
         ::: a.toml:1:10\n  \
         |\n\
         1 | epochs = 3\n  \
         |          - overridden value";
    assert_eq!(text, expected);
}

#[test]
fn an_override_within_a_value_or_without_a_value_is_refused() {
    let text = message(TEXT, &["epochs.first=1"]);
    assert!(text.contains("^^^^^^ `epochs` is not a table in the config that"), "{text}");
    assert!(text.contains("::: a.toml:1:10\n") && text.contains("- not a table"), "{text}");
    assert!(message(TEXT, &["epochs"]).contains("there is no `=`"));
    assert!(message(TEXT, &["ep och=1"]).contains("override ep och=1"));
}

#[test]
fn a_missing_top_level_key_is_reported_at_the_start_of_the_file() {
    let text = message("[adam]\nlearning_rate = 1e-3", &["adam.learning_rate=2"]);
    assert!(text.contains("a.toml:1:1\n"), "{text}");
    assert!(text.ends_with("^ the key `epochs` is missing: add it"), "{text}");
    assert!(message("", &[]).contains("a.toml:1:1"));
}

#[test]
fn a_key_in_the_file_and_in_an_override_is_reported_in_the_override() {
    let text = message("epoch = 3", &["epoch=4"]);
    assert!(text.contains("epoch = 4\n  | ^^^^^ unknown key `epoch`"), "{text}");
}

#[test]
fn a_text_that_ends_too_early_is_underlined_at_its_end() {
    let text = message("epochs =", &["epochs=3"]);
    assert!(text.contains("a.toml:1:9\n"), "{text}");
    assert!(message("\u{feff}epochs = ", &["epochs=3"]).contains("a.toml:1:"), "{text}");
}

#[test]
fn all_problems_are_in_one_report_each_at_its_value() {
    let problem = |key: &str| Problem { key: key.into(), message: "is wrong".into() };
    let document = document(TEXT, &["epochs=0"]).unwrap();
    let problems = vec![problem("adam.learning_rate"), problem("epochs"), problem("absent")];
    let error = document.invalid(problems);
    let expected = "invalid config: 3 problems\n \
         --> <overrides>:1:10\n  \
         |\n\
         1 | epochs = 0\n  \
         |          ^ epochs: is wrong\n  \
         |\n \
         ::: a.toml:1:1\n  \
         |\n\
         1 | epochs = 3\n  \
         | ^        - overridden value\n  \
         | |\n  \
         | absent: is wrong\n\
         ...\n\
         4 | learning_rate = 1e-3\n  \
         |                 ^^^^ adam.learning_rate: is wrong";
    assert_eq!(error.to_string(), expected);
    let ConfigError::Invalid(diagnostics) = &error else { panic!("{error}") };
    let locations: Vec<_> = diagnostics.iter().map(|item| item.location.as_str()).collect();
    assert_eq!(locations, ["override epochs = 0", "a.toml:1:1", "a.toml:4:17"]);
    assert!(format!("{error:#}").contains("\u{1b}["), "the alternate form is coloured");
}

#[test]
fn a_value_on_a_line_without_its_key_is_reported_with_the_key() {
    let text = message("epochs = 3\nadam = {\n  learning_rate =\n  true,\n}", &[]);
    assert!(text.contains("a.toml:4:3\n"), "{text}");
    assert!(text.contains("^^^^ adam.learning_rate: expected a number"), "{text}");
    let text = message("epochs = 3\n[adam]\nadam = 1\nlearning_rate = []", &["adam.b=1"]);
    assert!(text.contains("unknown key `"), "{text}");
    let text = message("epochs = 3\n\n[adam]", &[]);
    assert!(text.contains("a.toml:3:1\n"), "{text}");
    assert!(text.contains("^^^^^^ adam: the key `learning_rate` is missing"), "{text}");
}

#[test]
fn twenty_thousand_overrides_are_refused_in_little_memory() {
    let overrides: Vec<_> = (0..20_000).map(|number| format!("key_{number}=1")).collect();
    let overrides: Vec<_> = overrides.iter().map(String::as_str).collect();
    let text = message(TEXT, &overrides);
    assert!(text.contains("the overrides are longer than 64 KiB in total"), "{text}");
}

#[test]
fn control_characters_of_a_config_are_not_printed() {
    for text in ["\"a\\u001B[2J\" = 1", "a = \u{1b}[2J", "\"\u{9b}\" = \"\u{9b}2J\""] {
        let message = message(text, &["b=\u{1b}[2J"]);
        assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{message}");
    }
}

#[test]
fn many_problems_on_long_lines_are_a_short_report() {
    let key = "k".repeat(30_000);
    let text = message(&format!("{key} = 1"), &[]);
    assert!(text.len() < 3000, "{} bytes:\n{text}", text.len());
    let tables: String = (0..3000).map(|_| "{ a = 1 }, ").collect();
    for text in [format!("list = [{tables}]"), "[[list]]\na = 1\n".repeat(3000)] {
        let document = document(&text, &[]).unwrap();
        let problem = |index| Problem { key: format!("list.{index}.a"), message: "no".to_owned() };
        let error = document.invalid((0..3000).map(problem).collect()).to_string();
        assert!(error.len() < 10_000, "{} bytes:\n{error}", error.len());
        assert!(error.contains("2950 more problems are not displayed"), "{error}");
        assert!(error.contains("list.49.a: no") && !error.contains("list.50.a: no"), "{error}");
    }
}
