//! `trainer model summary`, shell completions and the manual.

use std::process::Command;

use serde_json::json;

use crate::test_dir::{TINY, TestDir};
use crate::training::json;

#[test]
fn the_model_summary_has_the_parameter_count_of_a_run() {
    let dir = TestDir::new();
    insta::assert_snapshot!(dir.succeed(&["model", "summary", "tiny.toml"]).stdout);
    let cnn = TINY.replace("[model.mlp]\nhidden = [8]", "[model.cnn]\nchannels = [4]");
    let resnet = TINY.replace("[model.mlp]\nhidden = [8]", "[model.resnet]\nchannels = [4, 5]");
    for (name, config) in [("tiny", TINY.to_owned()), ("cnn", cnn), ("resnet", resnet)] {
        let file = format!("{name}.toml");
        dir.write(&file, config);
        let all = json(&dir.succeed(&["model", "summary", &file, "--json"]).stdout);
        let directory = format!("out/{name}");
        dir.succeed(&["--config", &file, "--set", "training.epochs=1", "--run-dir", &directory]);
        let run = json(&dir.read(format!("{directory}/summary.json")));
        assert_eq!(all["parameters"], run["parameters"], "{name}");
        assert_eq!(all["input"], json!([6, 6, 3]));
    }
}

#[test]
fn the_model_summary_rejects_an_invalid_config() {
    let dir = TestDir::new();
    let summary = |set: &str| dir.trainer(&["model", "summary", "tiny.toml", "--set", set]);
    summary("model.mlp.hiden=[8]").refused(2, &["unknown key", "hidden"]);
    summary("dataset.hdf5.train=none.h5").refused(1, &["none.h5"]);
    summary("objective.head=sigmoid").refused(2, &["`sigmoid` needs two classes"]);
    let deep = "[model.cnn]\nchannels = [4, 4, 4]";
    dir.write("deep.toml", TINY.replace("[model.mlp]\nhidden = [8]", deep));
    dir.trainer(&["model", "summary", "deep.toml"]).refused(2, &["to less than one pixel"]);
}

#[test]
fn an_expensive_run_is_warned_of_with_a_remedy() {
    let dir = TestDir::new();
    let resnet = "[model.resnet]\nchannels = [512]";
    dir.write("slow.toml", TINY.replace("[model.mlp]\nhidden = [8]", resnet));
    let epochs = ["--set", "training.epochs=10000000"];
    let warned = |args: &[&str]| {
        let warning = dir.succeed(&[args, &epochs].concat()).stderr;
        for word in ["multiply-adds per example of 6x6x3", "days", "stem_reduction = \"pooled\""] {
            assert!(warning.contains(word), "{args:?}: {warning}");
        }
    };
    warned(&["model", "summary", "slow.toml"]);
    warned(&["train", "slow.toml", "--fast-dev-run"]);
    let summary = dir.succeed(&["model", "summary", "slow.toml"]);
    assert_eq!(summary.stderr, "");
}

#[test]
fn completions_contain_every_command_and_are_valid_bash() {
    let dir = TestDir::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = dir.succeed(&["completions", shell]).stdout;
        for command in ["train", "runs", "compare", "gradcheck"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    dir.write("trainer.bash", dir.succeed(&["completions", "bash"]).stdout);
    let checked = Command::new("bash").arg("-n").arg(dir.path("trainer.bash")).status().unwrap();
    assert!(checked.success());
}

#[test]
fn the_manual_is_one_page_or_one_page_per_command() {
    let dir = TestDir::new();
    let page = dir.succeed(&["man"]).stdout;
    assert!(page.contains(".TH trainer 1"), "{page}");
    assert!(page.contains("stopped by Ctrl\\-C"), "the exit codes are missing: {page}");
    dir.succeed(&["man", "--out", "man/man1"]);
    let pages = dir.names("man/man1");
    for name in
        ["trainer.1", "trainer-train.1", "trainer-runs-compare.1", "trainer-model-summary.1"]
    {
        assert!(pages.contains(&name.to_owned()), "no {name} in {pages:?}");
    }
    dir.trainer(&["man", "--out", "tiny.toml/x"]).refused(2, &["tiny.toml/x", "--out"]);
}
