//! `trainer gradcheck`.

use std::path::Path;

use crate::place::Place;
use crate::training::json;

/// A tiny model with every term that an injected bug can omit.
const EVERYTHING: [&str; 6] =
    ["--set", "objective.l2=1.0", "--set", "model.mlp.dropout=[0.5]", "--config", "tiny.toml"];

fn gradcheck<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["gradcheck"], args].concat()
}

#[test]
fn gradients_agree_and_every_tensor_has_its_row() {
    let place = Place::new();
    let before = place.contents("");
    let ran = place.succeed(&gradcheck(&["--config", "tiny.toml"]));
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("tiny: cost "), "{}", ran.stdout);
    assert!(lines[0].ends_with(" on 32 training examples, in f64"), "{}", ran.stdout);
    let names = ["hidden.0.linear.weight", "hidden.0.norm.gamma", "output.weight", "output.bias"];
    for name in names {
        let rows = lines.iter().filter(|line| line.starts_with(name)).count();
        assert_eq!(rows, 1, "{name} in {}", ran.stdout);
    }
    assert!(lines.iter().all(|line| line.len() <= 80), "{}", ran.stdout);
    let verdict = lines.last().unwrap();
    assert!(verdict.starts_with("gradients agree: relative difference "), "{}", ran.stdout);
    assert!(verdict.ends_with(", threshold 2e-7"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    place.must_hold("", &before);
}

#[test]
fn an_injected_bug_is_detected_and_named() {
    let place = Place::new();
    for (bug, location) in [
        ("double-weight", " in hidden.0.linear.weight"),
        ("fourfold-bias", " in hidden.0.norm.beta"),
        ("forgotten-penalty", ""),
        ("forgotten-dropout", ""),
        ("linear-activation", ""),
    ] {
        let ran = place.trainer(&gradcheck(&[&EVERYTHING[..], &["--inject-bug", bug]].concat()));
        assert_eq!(ran.code, Some(1), "{bug}: {ran:#?}");
        let expected = format!("injected bug: {bug}{location}\n");
        assert!(ran.stdout.contains(&expected), "{bug}: {}", ran.stdout);
        let verdict = ran.stdout.lines().last().unwrap();
        assert!(verdict.starts_with("gradients differ: relative "), "{bug}: {}", ran.stdout);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_bug_that_does_not_apply_to_the_model_is_rejected_with_a_remedy() {
    let place = Place::new();
    let linear = ["--set", "model.mlp.activation=linear"];
    for (error, set, remedy) in [
        ("forgotten-penalty", &[][..], "set `objective.l2`"),
        ("forgotten-dropout", &[], "set `model.mlp.dropout`"),
        ("linear-activation", &linear, "`model.mlp.activation`"),
        ("linear-activation", &["--set", "model.mlp.hidden=[]"], "set `model.mlp.hidden`"),
    ] {
        let args = [&["--config", "tiny.toml", "--inject-bug", error], set].concat();
        place.refuses(&gradcheck(&args), 2, &[error, "cannot be injected", remedy]);
    }
}

#[test]
fn invalid_command_lines_are_rejected() {
    let place = Place::new();
    let tiny = |args: &[&'static str]| gradcheck(&[&["--config", "tiny.toml"], args].concat());
    place.refuses(&gradcheck(&["--config", "none.toml"]), 2, &["none.toml"]);
    place.refuses(&gradcheck(&[]), 2, &["--config <FILE>"]);
    place.refuses(&tiny(&["--threshold", "0"]), 2, &["--threshold", "greater than 0"]);
    place.refuses(&tiny(&["--threshold", "NaN"]), 2, &["--threshold", "greater than 0"]);
    place.refuses(&tiny(&["--samples", "0"]), 2, &["--samples", "1..="]);
    place.refuses(&tiny(&["--examples", "0"]), 2, &["--examples", "1..="]);
    place.refuses(&tiny(&["--inject-bug", "typo"]), 2, &["'typo'", "double-weight"]);
    place.refuses(&tiny(&["--set", "seed=x"]), 2, &["seed"]);
}

#[test]
fn the_device_of_the_config_does_not_matter() {
    let place = Place::new();
    place.succeed(&gradcheck(&["--config", "tiny.toml", "--set", "device=cuda"]));
}

#[test]
fn json_holds_every_tensor_and_the_verdict() {
    let place = Place::new();
    let args = ["--json", "--examples", "1000", "--samples", "7", "--threshold", "1e-6"];
    let ran = place.succeed(&gradcheck(&[&EVERYTHING[..], &args].concat()));
    let check = json(&ran.stdout);
    assert_eq!((&check["passed"], &check["examples"]), (&true.into(), &48.into()));
    assert_eq!((&check["threshold"], &check["name"]), (&1e-6.into(), &"tiny".into()));
    assert!(check["difference"].as_f64().unwrap() < 1e-7, "{check:#}");
    assert!(check["injected_bug"].is_null());
    let tensors = check["tensors"].as_array().unwrap();
    assert_eq!(tensors.len(), 6);
    let weight = &tensors[0];
    assert_eq!(weight["name"], "hidden.0.linear.weight");
    assert_eq!(weight["shape"], serde_json::json!([108, 8]));
    assert_eq!(weight["checked"], 7);
    assert!(weight["difference"].as_f64().unwrap() < 1e-7, "{check:#}");

    let injected = [&EVERYTHING[..], &["--json", "--inject-bug", "double-weight"]].concat();
    let ran = place.trainer(&gradcheck(&injected));
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(json(&ran.stdout)["injected_bug"]["bug"], "double-weight");
}

#[test]
fn the_network_of_the_exercise_passes_and_fails_with_its_errors() {
    let place = Place::new();
    let config = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = config.join("../../configs/course2/gradient_check.toml");
    let args = gradcheck(&["--config", config.to_str().unwrap()]);
    place.succeed(&args);
    for error in ["double-weight", "fourfold-bias", "forgotten-penalty", "linear-activation"] {
        let ran = place.trainer(&[&args[..], &["--inject-bug", error, "--json"]].concat());
        assert_eq!(ran.code, Some(1), "{error}: {ran:#?}");
        let difference = &json(&ran.stdout)["difference"];
        assert!(difference.as_f64().unwrap() > 1e-2, "{error}: {difference}");
    }
}
