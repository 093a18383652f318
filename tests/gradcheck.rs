//! `trainer gradcheck`.

use std::path::Path;

use crate::test_dir::TestDir;
use crate::training::json;

/// A tiny model with every term that an injected bug can omit.
const EVERYTHING: [&str; 6] =
    ["--set", "objective.l2=1.0", "--set", "model.mlp.dropout=[0.5]", "--config", "tiny.toml"];

fn gradcheck<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["gradcheck"], args].concat()
}

#[test]
fn gradients_agree_and_every_tensor_has_a_row() {
    let dir = TestDir::new();
    let before = dir.contents("");
    let output = dir.succeed(&gradcheck(&["--config", "tiny.toml"]));
    let lines: Vec<_> = output.stdout.lines().collect();
    assert!(lines[0].starts_with("tiny: cost "), "{}", output.stdout);
    assert!(lines[0].ends_with(" on 32 training examples, in f64"), "{}", output.stdout);
    let names = ["hidden.0.linear.weight", "hidden.0.norm.gamma", "output.weight", "output.bias"];
    for name in names {
        let rows = lines.iter().filter(|line| line.starts_with(name)).count();
        assert_eq!(rows, 1, "{name} in {}", output.stdout);
    }
    assert!(lines.iter().all(|line| line.len() <= 80), "{}", output.stdout);
    let verdict = lines.last().unwrap();
    assert!(verdict.starts_with("gradients agree: relative difference "), "{}", output.stdout);
    assert!(verdict.ends_with(", threshold 2e-7"), "{}", output.stdout);
    assert_eq!(output.stderr, "");
    dir.assert_unchanged("", &before);
}

#[test]
fn an_injected_bug_is_detected_and_named() {
    let dir = TestDir::new();
    for (bug, location) in [
        ("double-weight", " in hidden.0.linear.weight"),
        ("fourfold-bias", " in hidden.0.norm.beta"),
        ("forgotten-penalty", ""),
        ("forgotten-dropout", ""),
        ("linear-activation", ""),
    ] {
        let output = dir.trainer(&gradcheck(&[&EVERYTHING[..], &["--inject-bug", bug]].concat()));
        assert_eq!(output.code, Some(1), "{bug}: {output:#?}");
        let expected = format!("injected bug: {bug}{location}\n");
        assert!(output.stdout.contains(&expected), "{bug}: {}", output.stdout);
        let verdict = output.stdout.lines().last().unwrap();
        assert!(verdict.starts_with("gradients differ: relative "), "{bug}: {}", output.stdout);
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn a_bug_that_does_not_apply_to_the_model_is_rejected_with_a_remedy() {
    let dir = TestDir::new();
    let linear = ["--set", "model.mlp.activation=linear"];
    for (bug, set, remedy) in [
        ("forgotten-penalty", &[][..], "set `objective.l2`"),
        ("forgotten-dropout", &[], "set `model.mlp.dropout`"),
        ("linear-activation", &linear, "`model.mlp.activation`"),
        ("linear-activation", &["--set", "model.mlp.hidden=[]"], "set `model.mlp.hidden`"),
    ] {
        let args = [&["--config", "tiny.toml", "--inject-bug", bug], set].concat();
        dir.refuses(&gradcheck(&args), 2, &[bug, "cannot be injected", remedy]);
    }
}

#[test]
fn invalid_command_lines_are_rejected() {
    let dir = TestDir::new();
    let tiny = |args: &[&'static str]| gradcheck(&[&["--config", "tiny.toml"], args].concat());
    dir.refuses(&gradcheck(&["--config", "none.toml"]), 2, &["none.toml"]);
    dir.refuses(&gradcheck(&[]), 2, &["<CONFIG>"]);
    dir.refuses(&tiny(&["--threshold", "0"]), 2, &["--threshold", "greater than 0"]);
    dir.refuses(&tiny(&["--threshold", "NaN"]), 2, &["--threshold", "greater than 0"]);
    dir.refuses(&tiny(&["--samples", "0"]), 2, &["--samples", "1..="]);
    dir.refuses(&tiny(&["--examples", "0"]), 2, &["--examples", "1..="]);
    dir.refuses(&tiny(&["--inject-bug", "typo"]), 2, &["'typo'", "double-weight"]);
    dir.refuses(&tiny(&["--set", "seed=x"]), 2, &["seed"]);
}

#[test]
fn the_device_of_the_config_does_not_matter() {
    let dir = TestDir::new();
    dir.succeed(&gradcheck(&["--config", "tiny.toml", "--set", "device=cuda"]));
}

#[test]
fn json_contains_every_tensor_and_the_verdict() {
    let dir = TestDir::new();
    let args = ["--json", "--examples", "1000", "--samples", "7", "--threshold", "1e-6"];
    let output = dir.succeed(&gradcheck(&[&EVERYTHING[..], &args].concat()));
    let check = json(&output.stdout);
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
    let output = dir.trainer(&gradcheck(&injected));
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert_eq!(json(&output.stdout)["injected_bug"]["bug"], "double-weight");
}

#[test]
fn the_network_of_the_exercise_passes_and_fails_with_injected_bugs() {
    let dir = TestDir::new();
    let config = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = config.join("../../configs/course2/gradient_check.toml");
    let args = gradcheck(&["--config", config.to_str().unwrap()]);
    dir.succeed(&args);
    for bug in ["double-weight", "fourfold-bias", "forgotten-penalty", "linear-activation"] {
        let output = dir.trainer(&[&args[..], &["--inject-bug", bug, "--json"]].concat());
        assert_eq!(output.code, Some(1), "{bug}: {output:#?}");
        let difference = &json(&output.stdout)["difference"];
        assert!(difference.as_f64().unwrap() > 1e-2, "{bug}: {difference}");
    }
}
