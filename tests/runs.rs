//! `trainer runs`: list, show, compare, best and rm.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use data::SplitKind;
use serde_json::{Value, json};

use crate::resuming::stop;
use crate::screen::assert_fits;
use crate::test_dir::{TINY, TestDir, coloured};
use crate::training::json;

/// Creates a directory with the runs `tiny` and `tiny-2`, which has another seed and learning rate.
fn two_runs() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let others = ["--set", "seed=2", "--set", "optimizer.adam.learning_rate=3e-3"];
    dir.succeed(&[&["--config", "tiny.toml"], &others[..]].concat());
    for run in ["tiny", "tiny-2"] {
        set(&dir, run, "seconds", json!(1.5));
    }
    dir
}

/// Changes a value of the summary of a run.
fn set(dir: &TestDir, run: &str, key: &str, value: Value) {
    let path = format!("runs/{run}/summary.json");
    let mut summary = json(&dir.read(&path));
    summary[key] = value;
    dir.write(&path, summary.to_string());
}

/// Sets the validation and test accuracy of a run.
fn set_scores(dir: &TestDir, run: &str, validation: f64, test: f64) {
    let best = json!({ "epoch": 3, "checkpoint": "", "accuracy": validation, "loss": 1.0 });
    set(dir, run, "best", best);
    set(dir, run, "test_accuracy", json!(test));
    set(dir, run, "test_loss", json!(0.5));
    set(dir, run, "train_accuracy", json!(1.0));
}

/// Replaces the start time of `run` in a text by `MM-DD hh:mm`.
fn without_start_time(dir: &TestDir, text: &str, run: &str) -> String {
    let environment = json(&dir.read(format!("runs/{run}/environment.json")));
    let started = environment["started"].as_str().unwrap();
    let text =
        text.replace(&started.replace('T', " ").replace('Z', " UTC"), "YYYY-MM-DD hh:mm:ss UTC");
    text.replace(&started.get(5..16).unwrap().replace('T', " "), "MM-DD hh:mm")
}

#[test]
fn list_shows_finished_interrupted_and_damaged_runs_and_other_directories() {
    let dir = two_runs();
    set_scores(&dir, "tiny", 0.75, 0.8);
    set_scores(&dir, "tiny-2", 0.5, 0.6);
    dir.succeed(&["--config", "tiny.toml"]);
    fs::remove_file(dir.path("runs/tiny-3/summary.json")).unwrap();
    fs::create_dir(dir.path("runs/damaged")).unwrap();
    dir.write("runs/damaged/config.toml", "name = \"tiny\"");
    fs::create_dir(dir.path("runs/folder")).unwrap();
    let mut text = dir.succeed(&["runs", "list"]).stdout;
    for run in ["tiny", "tiny-2", "tiny-3"] {
        text = without_start_time(&dir, &text, run);
    }
    assert_fits(&text);
    insta::assert_snapshot!(text);

    let output = dir.succeed(&["-v", "runs", "list"]);
    assert!(output.stderr.contains("runs/damaged/config.toml is damaged"), "{}", output.stderr);
    let all = json(&dir.succeed(&["runs", "list", "--json"]).stdout);
    let of = |index: usize, key: &str| all[index][key].clone();
    let statuses: Vec<_> = (0..5).map(|index| of(index, "status")).collect();
    assert_eq!(statuses, ["damaged", "no run", "finished", "finished", "interrupted"]);
    assert_eq!(of(4, "epochs_done"), 3);
    let summary = json(&dir.read("runs/tiny/summary.json"));
    assert_eq!(of(2, "test_accuracy"), summary["test_accuracy"]);
    assert_eq!(of(2, "validation_accuracy"), summary["best"]["accuracy"]);
}

#[test]
fn list_is_empty_before_the_first_run_but_a_given_directory_must_exist() {
    let dir = TestDir::new();
    assert!(dir.succeed(&["runs", "list"]).stdout.contains("no runs in runs yet"));
    assert_eq!(dir.succeed(&["runs", "list", "--json"]).stdout, "[]\n");
    dir.trainer(&["runs", "list", "--runs", "rnus"]).refused(1, &["rnus", "check that it exists"]);
}

#[test]
fn list_prints_a_long_name_above_its_row() {
    let dir = two_runs();
    fs::rename(dir.path("runs/tiny"), dir.path("runs").join("n".repeat(60))).unwrap();
    let text = dir.succeed(&["runs", "list"]).stdout;
    assert_fits(&text);
    assert!(text.lines().any(|line| line == "n".repeat(60)), "{text}");
}

#[test]
fn a_diverged_run_is_failed_until_it_is_resumed() {
    let dir = TestDir::new();
    let diverging = ["--set", "optimizer.adam.learning_rate=1e38", "--set", "training.epochs=40"];
    let output = dir.trainer(&[&["--config", "tiny.toml"], &diverging[..]].concat());
    assert_eq!(output.code, Some(1), "{output:?}");
    let shown = json(&dir.succeed(&["runs", "show", "tiny", "--json"]).stdout);
    assert_eq!(shown["status"], "failed");
    let reason = shown["reason"].as_str().unwrap();
    assert!(output.stderr.contains(reason), "{reason}: {}", output.stderr);
    dir.succeed(&["--resume", "runs/tiny", "--set", "optimizer.adam.learning_rate=1e-2"]);
    let shown = json(&dir.succeed(&["runs", "show", "tiny", "--json"]).stdout);
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("finished"), &Value::Null));
}

#[test]
fn show_accepts_the_name_or_the_path_of_a_run() {
    let dir = two_runs();
    set_scores(&dir, "tiny", 0.75, 0.5);
    let text = dir.succeed(&["runs", "show", "tiny"]).stdout;
    assert_fits(&text);
    assert_eq!(dir.succeed(&["runs", "show", "runs/tiny"]).stdout, text);
    assert_eq!(dir.succeed(&["runs", "show", "tiny", "--runs", "runs/"]).stdout, text);
    let (summary, files) = text.split_once("  device ").unwrap();
    insta::assert_snapshot!(without_start_time(&dir, summary, "tiny"));
    assert!(files.contains("best_model.bpk (") && files.contains("in total"), "{files}");

    let all = json(&dir.succeed(&["runs", "show", "tiny", "--json"]).stdout);
    assert_eq!(all["config"]["model"]["mlp"]["hidden"], json!([8]));
    assert_eq!(all["environment"]["data"]["counts"]["train"], 48);
    assert!(all["files"].as_array().unwrap().iter().any(|file| file["name"] == "summary.json"));
    dir.trainer(&["runs", "show", "tiny-9"]).refused(2, &["no run tiny-9 in runs", "runs list"]);
    dir.trainer(&["runs", "show", "data"]).refused(1, &["data is not a run directory"]);
}

#[test]
fn compare_lists_exactly_the_differences() {
    let dir = two_runs();
    for run in ["tiny", "tiny-2"] {
        set_scores(&dir, run, 0.75, 0.25);
    }
    let compare = ["runs", "compare", "tiny", "tiny-2"];
    insta::assert_snapshot!(dir.succeed(&compare).stdout);
    let all = json(&dir.succeed(&[&compare[..], &["--json"]].concat()).stdout);
    let rate = json!({ "key": "optimizer.adam.learning_rate", "values": [0.01, 0.003] });
    assert_eq!(all["config"], json!([rate, { "key": "seed", "values": [1, 2] }]));
    assert_eq!((&all["environment"], &all["runs"][1]["run"]), (&json!([]), &json!("tiny-2")));
    let same = dir.succeed(&["runs", "compare", "tiny", "runs/tiny"]).stdout;
    assert!(same.contains("the configs are equal"), "{same}");
    dir.trainer(&["runs", "compare", "tiny"]).refused(2, &["2 values required"]);
}

#[test]
fn compare_uses_one_row_per_run_if_columns_do_not_fit() {
    let dir = two_runs();
    fs::rename(dir.path("runs/tiny"), dir.path("runs").join("a".repeat(50))).unwrap();
    let text = dir.succeed(&["runs", "compare", &"a".repeat(50), "tiny-2"]).stdout;
    assert_fits(&text);
    assert!(text.contains("\noptimizer.adam.learning_rate\n"), "{text}");
    assert!(text.contains("  tiny-2") && text.contains("  0.003\n"), "{text}");
}

#[test]
fn compare_warns_about_different_test_data() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let classes = ["red", "green", "blue"].map(String::from);
    let path = dir.path("data/other.h5");
    data_hdf5::write(&path, SplitKind::Test, &coloured(15), &classes).unwrap();
    dir.succeed(&["--config", "tiny.toml", "--set", "dataset.hdf5.test=other.h5"]);
    let text = dir.succeed(&["runs", "compare", "tiny", "tiny-2"]).stdout;
    assert!(text.contains("the scores are not comparable"), "{text}");
    let output = dir.succeed(&["runs", "best"]);
    assert!(output.stderr.contains("their scores are not comparable"), "{}", output.stderr);
}

#[test]
fn best_prints_only_the_path_of_the_best_finished_run() {
    let dir = two_runs();
    dir.write(
        "other.toml",
        TINY.replace("tiny", "other").replace("fraction = 0.2", "fraction = 0.0"),
    );
    dir.succeed(&["--config", "other.toml"]);
    set_scores(&dir, "tiny", 0.5, 0.9);
    set_scores(&dir, "tiny-2", 0.75, 0.6);
    set(&dir, "other", "test_accuracy", json!(0.95));
    let output = dir.succeed(&["runs", "best"]);
    assert_eq!(output.stdout, "runs/tiny-2\n");
    assert!(output.stderr.contains("ignored 1 without validation accuracy"), "{}", output.stderr);
    assert_eq!(dir.succeed(&["runs", "best", "tiny"]).stderr, "");
    let output = dir.succeed(&["runs", "best", "--by", "test"]);
    assert_eq!(output.stdout, "runs/other\n");
    assert!(output.stderr.contains("selected by test accuracy"), "{}", output.stderr);
    assert_eq!(dir.succeed(&["runs", "best", "tiny", "--by", "test"]).stdout, "runs/tiny\n");
    let all = json(&dir.succeed(&["runs", "best", "other", "--json"]).stdout);
    assert_eq!((&all["by"], &all["of"]), (&json!("test"), &json!(1)));
    assert_eq!(all["best"]["path"], "runs/other");

    fs::remove_file(dir.path("runs/other/summary.json")).unwrap();
    dir.trainer(&["runs", "best", "other"]).refused(2, &["no finished run of `other` in runs"]);
}

#[test]
fn rm_deletes_runs_and_lists_them() {
    let dir = two_runs();
    let output = dir.trainer(&["runs", "rm", "tiny"]);
    output.refused(2, &["without a terminal", "--yes"]);
    assert_eq!(dir.names("runs"), ["tiny", "tiny-2"]);
    let output = dir.succeed(&["runs", "rm", "--yes", "tiny", "runs/tiny/", "runs/./tiny-2"]);
    assert_eq!(dir.names("runs"), [""; 0]);
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("deleted runs/tiny (") && lines[1].contains("tiny-2"),
        "{lines:?}"
    );
}

#[test]
fn rm_deletes_nothing_if_one_argument_is_not_a_run() {
    let dir = two_runs();
    symlink("tiny-2", dir.path("runs/latest")).unwrap();
    fs::create_dir(dir.path("runs/copies")).unwrap();
    dir.write("runs/copies/config.toml", dir.read("runs/tiny/config.toml"));
    dir.write("runs/copies/thesis.tex", "years of work");
    dir.write("notes", "");
    let cases = [
        (".", 1, "not a run directory"),
        ("runs", 1, "not a run directory"),
        ("data", 1, "not a run directory"),
        ("runs/tiny/checkpoints", 1, "not a run directory"),
        ("runs/tiny/..", 1, "not a run directory"),
        ("notes", 1, "not a run directory"),
        ("copies", 1, "no environment.json of its own"),
        ("latest", 1, "symbolic link"),
        ("runs/latest/", 1, "symbolic link"),
        ("nothing", 2, "no run nothing in runs"),
    ];
    for (name, code, words) in cases {
        dir.trainer(&["runs", "rm", "--yes", "tiny", name]).refused(code, &[words]);
    }
    assert_eq!(dir.names("runs"), ["copies", "latest", "tiny", "tiny-2"]);
    assert!(dir.path("runs/copies/thesis.tex").exists());
    assert!(dir.path("runs/latest/summary.json").exists());
}

#[test]
fn an_active_run_is_running_and_is_not_deleted() {
    let dir = TestDir::new();
    let child = dir.start(&["--config", "tiny.toml", "--set", "training.epochs=1000000"]);
    let id = child.id().to_string();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !dir.path("runs/tiny/metrics.jsonl").exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let shown = json(&dir.succeed(&["runs", "show", "tiny", "--json"]).stdout);
    assert_eq!(
        (&shown["status"], &shown["reason"]),
        (&json!("running"), &json!(format!("process {id}")))
    );
    let words = [format!("process {id}").leak(), "stop it first"];
    dir.trainer(&["runs", "rm", "tiny", "--yes"]).refused(1, &words);
    stop(&dir, "runs/tiny", child, "-KILL", Duration::ZERO);
    assert_eq!(json(&dir.read("runs/tiny/status.json"))["status"], "running");
    let shown = json(&dir.succeed(&["runs", "show", "tiny", "--json"]).stdout);
    assert_eq!(shown["status"], "interrupted");
    dir.succeed(&["runs", "rm", "tiny", "--yes"]);
    assert_eq!(dir.names("runs"), [""; 0]);
}
