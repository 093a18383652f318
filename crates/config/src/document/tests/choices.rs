//! Tables that are a choice between several variants.

use super::*;
use toml::{Table, Value};

const RULES: Rules =
    Rules { choices: &["model", "optimizer", "schedule.decay"], not_inherited: &["reference"] };

/// Deserialises a document of `text` with `overrides`.
fn resolved(text: &str, overrides: &[&str]) -> Value {
    let overrides: Vec<_> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let document = Document::parse(Path::new("a.toml"), text, &overrides, RULES).unwrap();
    Value::Table(document.deserialize::<Table>().unwrap())
}

#[track_caller]
fn resolves(text: &str, overrides: &[&str], expected: &str) {
    let expected = Value::Table(toml::from_str(expected).unwrap());
    assert_eq!(resolved(text, overrides), expected);
}

#[derive(Debug, Deserialize)]
struct Run {
    #[serde(rename = "optimizer")]
    _optimizer: Optimizer,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Optimizer {
    Adam {},
    Sgd {},
}

/// Returns the error of a `Run` that cannot be deserialised.
fn refused(text: &str, overrides: &[&str]) -> String {
    let overrides: Vec<_> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let document = Document::parse(Path::new("a.toml"), text, &overrides, RULES);
    document.and_then(|document| document.deserialize::<Run>()).unwrap_err().to_string()
}

#[test]
fn settings_of_the_same_variant_are_merged() {
    let text = "[model.mlp]\nhidden = [8]\nbatch_norm = true";
    resolves(text, &["model.mlp.hidden=[4]"], "model.mlp = { hidden = [4], batch_norm = true }");
}

#[test]
fn another_variant_replaces_the_one_below() {
    let text = "[optimizer.adam]\nlearning_rate = 1e-3";
    let overrides = ["optimizer.sgd.learning_rate=0.1", "optimizer.sgd.momentum=0.9"];
    resolves(text, &overrides, "optimizer.sgd = { learning_rate = 0.1, momentum = 0.9 }");
}

#[test]
fn a_choice_that_is_replaced_twice_has_none_of_the_first_settings() {
    let text = "[optimizer.adam]\nlearning_rate = 1e-3";
    let overrides = ["optimizer.sgd.momentum=0.9", "optimizer.adam.beta_1=0.5"];
    resolves(text, &overrides, "optimizer.adam.beta_1 = 0.5");
}

#[test]
fn a_string_and_a_table_replace_each_other() {
    let schedule = |decay: &str| format!("schedule = {{ warmup = 1, decay = {decay} }}");
    let (string, table) = (schedule("\"none\""), schedule("{ cosine = { end = 0.1 } }"));
    resolves(&string, &["schedule.decay.cosine.end=0.1"], &table);
    resolves(&table, &["schedule.decay=none"], &string);
}

#[test]
fn a_table_that_is_not_a_choice_is_merged() {
    let text = "[training.early_stopping]\npatience = 3\n[schedule.cosine]\nend = 0.1";
    let overrides = ["training.checkpoint.keep_last=2", "schedule.decay=none"];
    let expected = "training = { early_stopping.patience = 3, checkpoint.keep_last = 2 }\n\
                    schedule = { cosine.end = 0.1, decay = \"none\" }";
    resolves(text, &overrides, expected);
}

#[test]
fn choices_are_matched_by_their_whole_path() {
    resolves(
        "a.optimizer.adam = 1\ndecay.linear = 2\nmodel.mlp.optimizer.adam = 3",
        &["a.optimizer.sgd=1", "decay.cosine=2", "model.mlp.optimizer.sgd=3"],
        "a.optimizer = { adam = 1, sgd = 1 }\ndecay = { linear = 2, cosine = 2 }\n\
         model.mlp.optimizer = { adam = 3, sgd = 3 }",
    );
}

#[test]
fn two_variants_in_one_layer_are_both_kept() {
    let text = "[optimizer.adam]\n[optimizer.sgd]";
    resolves(text, &[], text);
    resolves(text, &["optimizer.sgd.momentum=0.9"], "optimizer.sgd.momentum = 0.9");
    resolves("[optimizer.adam]", &["optimizer={ adam = {}, sgd = {} }"], text);
}

#[test]
fn an_invalid_choice_is_reported_at_its_location() {
    let text = refused("[optimizer.sgd]", &["optimizer.adan.beta_1=0.9"]);
    assert!(text.contains("optimizer.adan.beta_1 = 0.9\n"), "{text}");
    assert!(text.contains("^ optimizer.adan: unknown choice `adan`"), "{text}");
    assert!(text.contains("did you mean `adam`?"), "{text}");
    let text = refused("[optimizer.adam]", &["optimizer={ adam = {}, sgd = {} }"]);
    assert!(text.contains("optimizer = { adam = {}, sgd = {} }\n"), "{text}");
    assert!(text.contains("^ optimizer: choose exactly"), "{text}");
    let text = refused("[optimizer.adam]", &["optimizer={}"]);
    assert!(text.contains("optimizer = {}\n"), "{text}");
    assert!(text.contains("^^ optimizer: choose exactly one"), "{text}");
}
