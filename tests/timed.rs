//! Runs with a time budget.

use crate::test_dir::{TINY, TestDir};
use crate::training::json;

/// Steps and epochs of a finished run.
fn length(dir: &TestDir, run: &str) -> [u64; 2] {
    let summary = json(&dir.read(format!("{run}/summary.json")));
    ["steps", "epochs"].map(|key| summary[key].as_u64().unwrap())
}

#[test]
fn a_time_replaces_the_epochs_of_the_config_and_the_plan_is_recorded() {
    let dir = TestDir::new();
    let output = dir.succeed(&["train", "tiny.toml", "--time", "2s"]);
    let config = dir.read("runs/tiny/config.toml");
    assert!(config.contains("[[training.plan]]\nfrom_step = 0\n"), "{config}");
    assert!(config.contains("max_minutes = 0.0333") && !config.contains("\nepochs"), "{config}");
    let [steps, epochs] = length(&dir, "runs/tiny");
    assert!(epochs > 3 && steps == 3 * epochs, "{steps} {epochs}");
    assert!(output.stdout.contains(&format!("{epochs} epochs in the time budget")), "{output:?}");
    assert!(
        dir.succeed(&["runs", "show", "tiny"]).stdout.contains(&format!("{epochs} of {epochs}"))
    );

    dir.succeed(&["train", "runs/tiny/config.toml", "--run-dir", "again"]);
    assert_eq!(dir.read("again/metrics.jsonl"), dir.read("runs/tiny/metrics.jsonl"));
    let again = dir.succeed(&["--resume", "runs/tiny"]).stdout;
    assert!(again.contains("nothing to do") && again.contains("--time "), "{again}");
}

#[test]
fn a_config_needs_epochs_or_a_time_budget() {
    let dir = TestDir::new();
    dir.write("none.toml", TINY.replace("epochs = 3\n", ""));
    dir.trainer(&["train", "none.toml"]).refused(2, &["`epochs` is missing", "`max_minutes`"]);
    dir.write("timed.toml", TINY.replace("epochs = 3", "max_minutes = 0.02"));
    dir.succeed(&["train", "timed.toml"]);
    // The epochs of a config are an upper bound.
    dir.write("both.toml", TINY.replace("epochs = 3", "epochs = 2\nmax_minutes = 5"));
    dir.succeed(&["train", "both.toml", "--run-dir", "runs/both"]);
    assert_eq!(length(&dir, "runs/both"), [6, 2]);
    for wrong in ["10", "m", "-5m", "0s", "1.5x", "nan s", "1e99h"] {
        let args = ["train", "tiny.toml", &format!("--time={wrong}")];
        dir.trainer(&args).refused(2, &["--time", "for example 90s, 10m or 1.5h"]);
    }
    dir.trainer(&["train", "tiny.toml", "--time", "5m", "--epochs", "3"]).refused(2, &["--epochs"]);
}

#[test]
fn an_automatic_batch_size_is_recorded_and_a_resume_keeps_it() {
    let dir = TestDir::new();
    dir.write("auto.toml", TINY.replace("batch_size = 16", "batch_size = \"auto\""));
    let output = dir.succeed(&["train", "auto.toml"]);
    assert!(output.stdout.contains("batches of 16\n"), "{}", output.stdout);
    assert!(dir.read("runs/tiny/config.toml").contains("batch_size = 16\n"));
    // As if the run came from a machine with less memory.
    dir.succeed(&[
        "train",
        "auto.toml",
        "--set",
        "training.batch_size=8",
        "--run-dir",
        "runs/other",
    ]);
    let more = ["--set", "training.epochs=4"];
    dir.succeed(&[&["--config", "auto.toml", "--resume", "runs/other"], &more[..]].concat());
    assert!(dir.read("runs/other/config.toml").contains("batch_size = 8\n"));
    let wrong = ["train", "tiny.toml", "--set"];
    for value in ["automatic", "0", "1000001", "true"] {
        let set = format!("training.batch_size={value}");
        dir.trainer(&[&wrong[..], &[&set]].concat()).refused(2, &["training.batch_size"]);
    }
}
