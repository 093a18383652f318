//! The custom model behaves like a built-in one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vit.toml");

/// Settings of a run of a few seconds.
const SMALL: [&str; 4] = [
    "--set=dataset.synthetic={train=96,test=24}",
    "--set=training.epochs=6",
    "--set=training.checkpoint.every_steps=1",
    "--set=objective.l2=0.1",
];

fn trainer(directory: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-model"));
    command.args(args).current_dir(directory.path());
    command
}

fn succeed(directory: &TempDir, args: &[&str]) -> Output {
    let output = trainer(directory, args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn stdout(directory: &TempDir, args: &[&str]) -> String {
    String::from_utf8(succeed(directory, args).stdout).unwrap()
}

/// Arguments that train the model, followed by `more`.
fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["--config", CONFIG, "--ui", "none"], &SMALL[..], more].concat()
}

/// The files that are equal for equal runs.
fn results(run: &Path) -> [Vec<u8>; 2] {
    ["best_model.bpk", "metrics.csv"].map(|name| fs::read(run.join(name)).unwrap())
}

fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("epoch")).collect()
}

#[test]
fn a_run_that_is_interrupted_and_resumed_gives_the_same_bits() {
    let directory = TempDir::new().unwrap();
    succeed(&directory, &train(&["--run-dir", "whole"]));

    let mut child = trainer(&directory, &train(&["--run-dir", "resumed"])).spawn().unwrap();
    let run = directory.path().join("resumed");
    while checkpoints(&run).len() < 2 {
        thread::sleep(Duration::from_millis(2));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!run.join("best_model.bpk").exists());

    succeed(&directory, &["--resume", "resumed", "--ui", "none"]);
    assert_eq!(results(&run), results(&directory.path().join("whole")));
}

#[test]
fn its_gradients_are_those_of_its_cost() {
    let directory = TempDir::new().unwrap();
    let args = ["gradcheck", "--config", CONFIG, SMALL[0], SMALL[3], "--examples=4", "--samples=5"];
    succeed(&directory, &args);
}

#[test]
fn a_trained_model_is_evaluated_reported_and_listed() {
    let directory = TempDir::new().unwrap();
    succeed(&directory, &train(&["--set=training.epochs=3"]));
    assert!(stdout(&directory, &["evaluate", "runs/vit"]).contains("accuracy"));
    assert!(stdout(&directory, &["runs", "list"]).contains("finished"));
    succeed(&directory, &["report", "runs/vit"]);
    assert!(stdout(&directory, &["model", "summary", CONFIG]).contains("vit"));
}

#[test]
fn its_keys_are_checked_and_explained() {
    let directory = TempDir::new().unwrap();
    assert!(
        stdout(&directory, &["config", "explain", "model.vit"])
            .contains("Number of attention heads")
    );
    assert!(stdout(&directory, &["config", "schema"]).contains("patch_size"));
    for (setting, expected) in [
        ("model.vit.patchsize=4", "did you mean `patch_size`?"),
        ("model.vit.heads=0", "is not"),
        ("model.vit.heads=5", "is not a multiple of heads"),
        ("model={vitt={}}", "did you mean `vit`?"),
    ] {
        let args = ["config", "check", CONFIG, "--set", setting];
        let output = trainer(&directory, &args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(output.status.code(), Some(2), "{setting}: {text}");
        assert!(text.contains(expected), "{setting}: {text}");
    }
}
